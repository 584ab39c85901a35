"""The names in a source, as if it had been imported."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def made(source: str, name: str = "attention") -> Any:
    """Run a source as a module of its own, and return what it names."""
    module = ModuleType("theirs")
    exec(compile(source, "theirs.py", "exec"), vars(module))  # noqa: S102 - a test has written it
    return vars(module)[name]
