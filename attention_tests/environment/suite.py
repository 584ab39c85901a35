"""The place of the suite's files: inside the package where it is installed, around it in a checkout."""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
INSIDE = PACKAGE / "suite"

FOLDER = INSIDE if INSIDE.is_dir() else PACKAGE.parent
CONFIGURATION = FOLDER / "pyproject.toml"
COMPARED_WITH = ("properties", "reference")
"""The packages that know what an answer should be."""
PACKAGES = ("implementations", "explanations", *COMPARED_WITH)
"""Names that a caller's own packages cannot have."""


def join_path() -> str:
    """Make the suite's packages importable in a process of somebody else's, whose own come first.

    Returns one sentence that says why they are not; empty if all is well.
    """
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return next((sentence for name in PACKAGES if (sentence := _in_the_way(name))), "")


def _in_the_way(name: str) -> str:
    found = find_spec(name)
    places = [*((found and found.submodule_search_locations) or ()), (found and found.origin) or name]
    if Path(places[0]).resolve().is_relative_to(FOLDER.resolve()):
        return ""
    return f"the suite needs a package {name!r} of its own, and {places[0]} is in its place: rename yours"


def use_one_thread() -> None:
    """Let libraries that are not yet imported use one thread, unless the caller asks for more.

    How many there are decides how sums are split, and so the bits of an answer; and the threads of two workers of
    pytest-xdist would wait for each other.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def version() -> str:
    """Return the version, which a checkout knows with nothing installed."""
    return str(_project()["version"])


def required(extra: str) -> list[str]:
    """Return what an extra requires; nothing of one that there is not."""
    requirements: list[str] = _project()["optional-dependencies"].get(extra, [])
    return requirements


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(CONFIGURATION.read_text("utf-8"))["project"]
    return project
