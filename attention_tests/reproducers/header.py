"""The comment at the top of a program: the implementation, the broken law, and the versions."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from textwrap import fill

import numpy as np

from attention_tests.engine.explain import DID
from attention_tests.engine.law import Law
from attention_tests.engine.verdict import verdict_of
from attention_tests.environment import suite
from attention_tests.execution.failures import Disagreement, Failure
from attention_tests.execution.subject import Subject
from attention_tests.text.literals import WIDTH

ABOUT = (
    "A failure of an implementation of attention, as a program that shows it: run it in the folder in which "
    "attention-tests was run. It ends with 1 where the failure is still there, and with 0 where it is not."
)


def header(law: Law, subject: Subject, plan: str, failure: Failure) -> list[str]:
    """Return the lines of the comment."""
    who = f"{subject.implementation.name} ({subject.dtype}, promised precision: {subject.precision.name})"
    entries = {
        "who": f"{who} {DID[verdict_of(failure)]}",
        "clause": f"{law.clause.id} (§{law.clause.section}): {law.clause.says}",
        "law": law.says,
        "problem": plan,
        "failure": failure.sentence,
        "rule": _rule(failure),
        "versions": ", ".join(_versions(subject.implementation.target)),
    }
    lines = [ABOUT, "", *(f"{name + ':':<10}{words}" for name, words in entries.items() if words)]
    return [line for one in lines for line in comment(one)]


def comment(words: str) -> list[str]:
    """Write words as a comment that nothing in them can end."""
    legible = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in words)
    return fill(legible, WIDTH, initial_indent="# ", subsequent_indent="#   ").splitlines() or ["#"]


def _rule(failure: Failure) -> str:
    if not isinstance(failure, Disagreement) or failure.got is None:
        return ""
    bound = "" if failure.bound is None else ", which follows from the promised precision"
    return f"a right answer is, compared with what is expected, {failure.relation}{bound}"


def _versions(target: str) -> Iterator[str]:
    yield f"attention-tests {suite.version()}"
    yield f"Python {platform.python_version()}"
    yield f"NumPy {np.__version__}"
    package = target.partition(":")[0].partition(".")[0].partition("-")[0]
    if package == "numpy":
        return
    # What is not installed as a package has no version that anybody knows.
    try:
        yield f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return
