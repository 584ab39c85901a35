"""Where the suite lies: inside the package where it was installed, around it in a checkout."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parent
INSIDE = PACKAGE / "suite"

FOLDER = INSIDE if INSIDE.is_dir() else PACKAGE.parent
CONFIGURATION = FOLDER / "pyproject.toml"
PACKAGES = ("implementations", "properties", "reference")
"""Names that a caller's own packages cannot have."""


def use_one_thread() -> None:
    """Let libraries that are not yet imported use one thread, unless the caller asks for more.

    How many there are decides how sums are split, and so the bits of an answer; and the threads of two workers of
    pytest-xdist would wait for each other.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def version() -> str:
    """Return the version, which a checkout knows with nothing installed."""
    return str(tomllib.loads(CONFIGURATION.read_text("utf-8"))["project"]["version"])
