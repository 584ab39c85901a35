"""The target `field`: every library that is installed, in every way that is known, found without an import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from attention_tests.targets import entry_points
from attention_tests.targets.registry import REGISTRY
from attention_tests.targets.resolve import lacking
from attention_tests.text.wording import BadTarget

FIELD = "field"


def known() -> tuple[str, ...]:
    """Return the names of all that adapts a library, of the suite's own, and of those that installed packages bring.

    NumPy is installed wherever the suite is: what is written with it alone, the gate verifies.
    """
    adapters = (name for name in REGISTRY.implementations.names() if REGISTRY.implementations.extra_of(name))
    return (*adapters, *entry_points.names())


def look_for(name: str) -> None:
    """Raise BadTarget, with one sentence, if an implementation of the suite's own lacks a package here."""
    if name in REGISTRY.implementations.names():
        module, _, _ = REGISTRY.implementations.place_of(name).partition(":")
        for package in _imported(module):
            if find_spec(package) is None:
                raise BadTarget(lacking(name, package))


def _imported(module: str) -> Iterator[str]:
    # What it imports later, inside of a function, its own process will miss.
    spec = find_spec(module)
    source = Path(spec.origin).read_bytes() if spec and spec.origin else b""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield (statement.module or "").partition(".")[0]
