"""The GPUs of this machine, by what their driver says."""

from __future__ import annotations

import subprocess
from functools import cache
from shutil import which

SECONDS = 20.0


@cache
def names() -> str:
    """Return the names of all that NVIDIA's driver knows, with its version; empty where there is none."""
    command = which("nvidia-smi")
    if command is None:
        return ""
    asked = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603 - the driver's own
    except (OSError, subprocess.TimeoutExpired):
        # A driver that is broken is none.
        return ""
    return "; ".join(line.strip() for line in done.stdout.splitlines() if line.strip()) if done.returncode == 0 else ""
