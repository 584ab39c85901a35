"""What a run ran on: the versions of what decides about a verdict, and the machine."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

from attention_tests import suite
from attention_tests.implementation import Implementation, Step


def versions() -> dict[str, str]:
    """Return the versions of what draws the problems and knows the answers."""
    return {
        "attention-tests": suite.version(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "hypothesis": version("hypothesis"),
        "pytest": version("pytest"),
    }


def environment() -> dict[str, str | int]:
    """Return what is known of the machine, and nothing that is about its owner."""
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cpus": os.cpu_count() or 1,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def libraries(implementation: Implementation) -> dict[str, str]:
    """Return the version of each installed package that the modules of an implementation name."""
    steps = [getattr(implementation, step.value) for step in Step if implementation.exposes(step)]
    modules = {sys.modules.get(getattr(step, "__module__", None) or type(step).__module__) for step in steps}
    names = {name for module in modules if module for name in _packages(module)}
    distributions = {found for name in names for found in _distributions().get(name, ())}
    return {distribution: version(distribution) for distribution in sorted(distributions) if distribution not in OURS}


OURS = {"attention-tests"}

_distributions = cache(packages_distributions)


def _packages(module: ModuleType) -> set[str]:
    members = list(vars(module).values())
    named = [member.__name__ if isinstance(member, ModuleType) else _origin(member) for member in members]
    return {name.partition(".")[0] for name in [module.__name__, *named]}


def _origin(member: object) -> str:
    origin = getattr(member, "__module__", "")
    return origin if isinstance(origin, str) else ""


def _cpu() -> str:
    # Python knows no name for the processor on Linux.
    information = Path("/proc/cpuinfo")
    lines = information.read_text("utf-8").splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
