"""Implementations of installed packages: their entry points of the group `attention_tests.implementations`."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from attention_tests.targets.registry import REGISTRY
from attention_tests.text.wording import BadTarget

GROUP = "attention_tests.implementations"


def names() -> tuple[str, ...]:
    """Return the names by which they can be verified. Nothing is imported for it."""
    return tuple(name for name in entries() if name not in REGISTRY.implementations.names())


def target_of(name: str) -> str:
    """Return `package.module:attribute` for a name. Raises BadTarget if several packages bring one of this name."""
    first, *others = entries()[name]
    if others:
        places = " or ".join(sorted(_target(entry) for entry in (first, *others)))
        raise BadTarget(f"{1 + len(others)} installed packages bring an implementation {name!r}: name {places}")
    return _target(first)


def hidden() -> list[str]:
    """Say of each that has the name of one of the suite's own how it can be verified all the same."""
    return [
        f"{name} is the suite's own; the {name} of {_package(entry)} is verified as {_target(entry)}"
        for name, brought in entries().items()
        if name in REGISTRY.implementations.names()
        for entry in brought
    ]


@cache
def entries() -> dict[str, list[EntryPoint]]:
    """Return the entry points of each name."""
    found = defaultdict(list)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found[entry.name].append(entry)
    return found


def _target(entry: EntryPoint) -> str:
    # Extras, in brackets, are for whoever installs.
    return entry.value.partition("[")[0].strip()


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "another package"
