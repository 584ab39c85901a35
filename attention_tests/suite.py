"""Where the suite lies: inside the package where it was installed, around it in a checkout."""

from __future__ import annotations

import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parent
INSIDE = PACKAGE / "suite"

FOLDER = INSIDE if INSIDE.is_dir() else PACKAGE.parent
CONFIGURATION = FOLDER / "pyproject.toml"
PACKAGES = ("implementations", "properties", "reference")
"""Names that a caller's own packages cannot have."""


def version() -> str:
    """Return the version, which a checkout knows with nothing installed."""
    return str(tomllib.loads(CONFIGURATION.read_text("utf-8"))["project"]["version"])
