"""The processor of this machine: its name and its instruction sets."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


def name() -> str:
    """Return what its maker calls it, where that can be told."""
    return _told().get("model name", platform.processor() or platform.machine())


def abilities() -> frozenset[str]:
    """Return what it can do, in Linux's words, such as `avx2` and `amx_bf16`; nothing where that cannot be told."""
    return frozenset(_told().get("flags", "").split())


@cache
def _told() -> dict[str, str]:
    # Of the first core: Python knows no name for the processor on Linux, and nowhere what it can do.
    information = Path("/proc/cpuinfo")
    first, _, _ = (information.read_text("utf-8") if information.exists() else "").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
