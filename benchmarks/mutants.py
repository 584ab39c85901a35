"""Change the NumPy implementations in one place at a time, and look for changes that no law sees.

    python -m benchmarks.mutants [--profile default] [--seconds 60]

What is changed, and into what, is mutmut's. Its own runner leaves decorated functions alone, and these are decorated,
so its operators are applied here. No file is written: a mutant is a module in memory, in a process of its own.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import unified_diff
from importlib import import_module
from inspect import getsource
from multiprocessing import get_context
from types import ModuleType
from typing import Any

import libcst as cst
from mutmut.mutation.mutators import mutation_operators
from tabulate import tabulate

from attention_tests.catalogue import all_laws
from attention_tests.profiles import DEFAULT, PROFILES, Profile
from attention_tests.search import that_break
from attention_tests.target import subjects_of

# Every process has what the laws draw and expect from the one that it is forked from.
FORK = get_context("fork")
MODULES = {"implementations.numpy": ("WHOLE", "ONLINE"), "implementations.numpy_layer": ("LAYER",)}
"""Modules to change, and the implementations in each that the laws are held against."""


@dataclass
class Count:
    """What became of the mutants of one function."""

    mutants: int = 0
    killed: int = 0
    stopped: int = 0
    survivors: list[str] = field(default_factory=list)


def main() -> int:
    """Print how many mutants of each function are killed, and the survivors as diffs."""
    parser = ArgumentParser(description="Change the NumPy implementations, and look for changes that no law sees.")
    parser.add_argument("--profile", choices=PROFILES, default=DEFAULT.name, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="time for one mutant (default: %(default)s)")
    options = parser.parse_args()
    profile, counts = PROFILES[options.profile], dict[str, Count]()
    for module in map(import_module, MODULES):
        source = getsource(module)
        if a_law_is_broken(module.__name__, source, profile):
            parser.error(f"{module.__name__} breaks a law as it is")
        for function, mutant in mutants(source):
            count = counts.setdefault(f"{module.__name__}.{function}", Count())
            count.mutants += 1
            outcome = in_a_process(a_law_is_broken, module.__name__, mutant, profile, seconds=options.seconds)
            if outcome == SURVIVED:
                count.survivors.append(diff(source, mutant))
            elif outcome is None:
                count.stopped += 1
            else:
                count.killed += 1
    sys.stdout.write(report(counts))
    return 0


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield the name of a function and the source with one change in it, for every change that mutmut knows."""
    module = cst.parse_module(source)
    for function in module.body:
        if isinstance(function, cst.FunctionDef):
            for node in _nodes(function):
                for kind, changes in mutation_operators:
                    for changed in changes(node) if isinstance(node, kind) else ():
                        yield function.name.value, module.deep_replace(node, changed).code


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        # What is called a type or put around a function is no arithmetic.
        if not isinstance(child, cst.Annotation | cst.Decorator):
            yield from _nodes(child)


def a_law_is_broken(module: str, source: str, profile: Profile) -> bool:
    """Hold the implementations of `module`, its code being `source`, against every law that applies to them."""
    code = ModuleType(module)
    exec(compile(source, module, "exec"), vars(code))  # noqa: S102 - our own module, with one change
    subjects = subjects_of([getattr(code, name) for name in MODULES[module]])
    return any(
        any(that_break(law, subject, profile))
        for law in all_laws()
        for subject in subjects
        if not law.missing(subject)
    )


SURVIVED = 0


def in_a_process(function: Callable[..., bool], *arguments: Any, seconds: float) -> int | None:
    """Return the exit code of a process that exits with what `function` returns; None if it had to be stopped."""
    process = FORK.Process(target=lambda: sys.exit(function(*arguments)))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def diff(source: str, mutant: str) -> str:
    """Return the lines that differ, with where they are."""
    lines = unified_diff(source.splitlines(), mutant.splitlines(), n=0, lineterm="")
    return "\n".join(list(lines)[2:])


def report(counts: dict[str, Count]) -> str:
    """Return the table of functions, and the diffs of the survivors."""
    lines = [[name, one.mutants, one.killed, one.stopped, len(one.survivors)] for name, one in counts.items()]
    total = ["all", *(sum(column) for column in list(zip(*lines, strict=True))[1:])]
    table = tabulate([*lines, total], headers=["function", "mutants", "killed", "stopped", "survived"])
    diffs = (f"{name}\n{survivor}" for name, one in counts.items() for survivor in one.survivors)
    return "\n\n".join([table, *diffs]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
