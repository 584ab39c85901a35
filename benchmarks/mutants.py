"""Change the NumPy implementations in one place at a time, and look for changes that no law sees.

    python -m benchmarks.mutants [--profile quick]

What is changed, and into what, is mutmut's. Its own runner leaves decorated functions alone, and these are decorated,
so its operators are applied here. No file is written: a mutant is a module in memory, in a process of its own. One that
survives must be in docs/reference/mutants.md, with the reason why it is right.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff
from importlib import import_module
from inspect import getsource
from multiprocessing import get_context
from resource import RLIMIT_CPU, setrlimit
from signal import SIGKILL
from types import ModuleType

import libcst as cst
from mutmut.mutation.mutators import mutation_operators
from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import PROFILES, QUICK, Profile
from attention_tests.engine.search import that_break
from attention_tests.environment.suite import FOLDER
from attention_tests.execution.subjects import subjects_of

MODULES = {"implementations.numpy.whole": ("WHOLE", "ONLINE"), "implementations.numpy.layer": ("LAYER",)}
"""Modules to change, and the implementations in each that the laws are held against."""
EXPLAINED = FOLDER / "docs" / "reference" / "mutants.md"
SECONDS = 120
"""Of a processor, for one mutant: the limit."""
FATES: dict[int | None, str] = {10: "killed", 0: "survived", -SIGKILL: "stopped"}
"""By the exit code of a mutant's process; any other is that of a crash."""
# A process starts with what the laws have drawn and computed in the one that it is forked from.
FORK = get_context("fork")


def main() -> int:
    """Print how many mutants of each function are killed, and the survivors; exit 1 if one is not explained."""
    parser = ArgumentParser(description="Change the NumPy implementations, and look for changes that no law sees.")
    parser.add_argument("--profile", choices=PROFILES, default=QUICK.name, help="(default: %(default)s)")
    profile = PROFILES[parser.parse_args().profile]
    counts: dict[str, Counter[str]] = {}
    survivors: list[tuple[str, str]] = []
    for module in map(import_module, MODULES):
        source = getsource(module)
        if breaks_a_law(module.__name__, source, profile):
            parser.error(f"{module.__name__} breaks a law as it is")
        for function, mutant in mutants(source):
            name, fate = f"{module.__name__}.{function}", fate_of(module.__name__, mutant, profile)
            counts.setdefault(name, Counter())[fate] += 1
            if fate == "survived":
                survivors.append((name, difference(source, mutant)))
    sys.stdout.write(table(counts) + "\n")
    unexplained = 0
    for name, diff in survivors:
        known = is_explained(diff)
        unexplained += not known
        sys.stdout.write(f"\n{name}{'' if known else ', not explained'}\n{diff}\n")
    return 1 if unexplained else 0


def is_explained(diff: str) -> bool:
    """Tell whether every line that a survivor has in place of another is in the document."""
    document = EXPLAINED.read_text("utf-8")
    return all(line in document for line in diff.splitlines() if line.startswith("+"))


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yield the name of a function and the source with one change in it, for every change that mutmut knows."""
    module = cst.parse_module(source)
    for function in module.body:
        if isinstance(function, cst.FunctionDef):
            for node in _nodes(function):
                for kind, changes in mutation_operators:
                    for changed in changes(node) if isinstance(node, kind) else ():
                        mutant = cst.ensure_type(module.deep_replace(node, changed), cst.Module)
                        yield function.name.value, mutant.code


def _nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        # Types and decorators decide about no number.
        if not isinstance(child, cst.Annotation | cst.Decorator):
            yield from _nodes(child)


def breaks_a_law(module: str, source: str, profile: Profile) -> bool:
    """Hold the implementations of `module`, its code being `source`, against every law that applies to them."""
    code = ModuleType(module)
    exec(compile(source, module, "exec"), vars(code))  # noqa: S102 - a module of the project, with one change
    subjects = subjects_of([getattr(code, name) for name in MODULES[module]])
    # The last laws, on gradients, see most changes.
    held = ((law, subject) for law in reversed(all_laws()) for subject in subjects if not law.missing(subject))
    return any(any(that_break(law, subject, profile)) for law, subject in held)


def fate_of(module: str, mutant: str, profile: Profile) -> str:
    """Hold a mutant against the laws in a process of its own, and say what became of it."""

    def judge() -> None:
        setrlimit(RLIMIT_CPU, (SECONDS, SECONDS))
        sys.exit(10 if breaks_a_law(module, mutant, profile) else 0)

    process = FORK.Process(target=judge)
    process.start()
    process.join()
    return FATES.get(process.exitcode, "crashed")


def difference(source: str, mutant: str) -> str:
    """Return the lines that differ."""
    lines = unified_diff(source.splitlines(), mutant.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def table(counts: dict[str, Counter[str]]) -> str:
    """Return a row for each function and one for all, with the numbers of mutants by fate."""
    fates = [*FATES.values(), "crashed"]
    rows = {**counts, "all": sum(counts.values(), Counter())}
    lines = [[name, count.total(), *(count[fate] for fate in fates)] for name, count in rows.items()]
    return tabulate(lines, headers=["function", "mutants", *fates])


if __name__ == "__main__":
    sys.exit(main())
