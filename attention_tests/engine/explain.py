"""A failure in words: the clause, the law, the smallest problem as literals, got, expected, error over bound."""

from __future__ import annotations

from textwrap import fill
from typing import Any, TypeAlias

import numpy as np

from attention_tests.engine.law import Drawn, Law, Plan
from attention_tests.engine.verdict import Verdict, verdict_of
from attention_tests.execution.failures import Disagreement, Failure
from attention_tests.execution.subject import Subject
from attention_tests.text.literals import ELEMENTS_TO_PRINT, WIDTH, literal, number

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

ELEMENTS_TO_COMPARE = 24

DID = {
    Verdict.FAIL: "breaks a law",
    Verdict.ERROR: "raised where a law asks for an answer",
    Verdict.CRASH: "ended its process where a law asks for an answer",
    Verdict.TIMEOUT: "gave no answer in time where a law asks for one",
}


def explain(law: Law, subject: Subject, plan: Plan, drawn: Drawn, failure: Failure) -> str:
    """Say what was broken and by what, with everything that is needed to see it again."""
    did = DID[verdict_of(failure)]
    smallest = _indented(literals(drawn))
    lines = [
        f"{subject.implementation.name} ({subject.dtype}, promised precision: {subject.precision.name}) {did}.",
        "",
        _entry("clause", f"{law.clause.id} (§{law.clause.section}): {law.clause.says}"),
        _entry("law", law.says),
        _entry("problem", repr(plan)),
        *(["", "  The smallest problem found:", *smallest] if smallest else []),
        "",
        f"  {failure.sentence}",
    ]
    if isinstance(failure, Disagreement):
        lines += _comparison(failure, subject.dtype)
    return "\n".join(lines)


def literals(drawn: Drawn) -> list[str]:
    """Write the arrays as NumPy literals, to the bit, or their shapes where they are too large to read."""
    lines = []
    for name in drawn.axes:
        array: Array = getattr(drawn, name)
        lines += (
            literal(name, array, drawn.dtype)
            if array.size <= ELEMENTS_TO_PRINT
            else [f"# {name}: {drawn.dtype}, of shape {array.shape}"]
        )
    options = getattr(drawn, "options", {})
    return lines + [f"{name} = {option!r}" for name, option in options.items() if name not in drawn.axes]


def one_line(drawn: Drawn) -> str:
    """Write the arrays in one line, for a report."""
    return ", ".join(f"{name} = {getattr(drawn, name).tolist()}" for name in drawn.axes)


def _comparison(failure: Disagreement, dtype: str) -> list[str]:
    if failure.got is None or failure.expected is None or failure.where is None:
        return []
    got, expected = failure.got[failure.where], failure.expected[failure.where]
    lines = [
        *([f"  at        {list(map(int, failure.where))}"] if failure.where else []),
        f"  got       {number(got, dtype)}",
        f"  expected  {number(expected, dtype)}",
        f"  error     {_error(abs(float(got) - float(expected)), failure.bound)}",
    ]
    if 1 < failure.got.size <= ELEMENTS_TO_COMPARE:
        lines += _indented([*literal("got", failure.got, dtype), *literal("expected", failure.expected, dtype)])
    return lines


def _error(error: float, bound: float | None) -> str:
    if bound is None:
        return f"{error:.3g}"
    if bound == 0:
        return f"{error:.3g}, where none is allowed"
    return f"{error:.3g}, {error / bound:.3g} times the bound {bound:.3g}"


def _entry(label: str, text: str) -> str:
    first, rest = f"  {label:<10}", " " * 12
    return fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
