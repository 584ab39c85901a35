"""The environment of a run: the versions that decide about a verdict, and the machine."""

from __future__ import annotations

import ast
import os
import platform
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, packages_distributions, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from attention_tests.declare.implementation import Implementation
from attention_tests.engine.drawing import caveat
from attention_tests.environment import graphics, processor, suite
from attention_tests.targets.registry import REGISTRY


def versions() -> dict[str, str]:
    """Return the versions of what draws the problems and knows the answers."""
    return {
        "attention-tests": suite.version(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "hypothesis": version("hypothesis") + (f" ({caveat()})" if caveat() else ""),
        "pytest": version("pytest"),
    }


def environment() -> dict[str, str | int]:
    """Return what is known of the machine, and nothing that is about its owner."""
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": processor.name(),
        "cpus": os.cpu_count() or 1,
        **({"gpu": graphics.names()} if graphics.names() else {}),
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
    }


def libraries(implementation: Implementation) -> dict[str, str]:
    """Return the version of each installed package that an implementation is made with.

    They are those that its source files import, and of the suite's own those that its extra requires. The files are
    read and not asked: an implementation may run in another process, and what it says is its own.
    """
    files = {place.rpartition(":")[0] for place in implementation.places.values()}
    modules = {name for file in files for name in _imported(Path(file))}
    distributions = {found for name in modules for found in _distributions().get(name, ())} - {"attention-tests"}
    distributions |= {name for name in _required(implementation.name) if _is_installed(name)}
    return {name: version(name) for name in sorted(set(map(canonicalize_name, distributions)))}


def digest(implementation: Implementation) -> str:
    """Return what changes when one of the source files of an implementation does."""
    files = sorted({Path(place.rpartition(":")[0]) for place in implementation.places.values()})
    return sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:12]


_distributions = cache(packages_distributions)


def _required(name: str) -> Iterator[str]:
    if name in REGISTRY.implementations.names():
        yield from (Requirement(one).name for one in suite.required(REGISTRY.implementations.extra_of(name)))


def _is_installed(distribution: str) -> bool:
    return any(Distribution.discover(name=distribution))


def _imported(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]
