"""A failure in words: the clause, the law, the smallest problem as literals, got, expected, error over bound."""

from __future__ import annotations

from textwrap import fill
from typing import Any, TypeAlias

import numpy as np

from attention_tests.engine.law import Drawn, Law, Plan
from attention_tests.engine.verdict import Verdict, verdict_of
from attention_tests.execution.failures import Disagreement, Failure
from attention_tests.execution.subject import Subject
from attention_tests.text.literals import ELEMENTS_TO_PRINT, WIDTH, is_of_one_number, literal, number

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

FEWEST_TO_COMPARE, ELEMENTS_TO_COMPARE = 3, 24
"""The sizes of answers that are shown whole, besides their worst element."""
INPUTS = ("query", "key", "value", "upstream")
"""The arrays of a problem whose axes are not named, as it cannot be shrunk."""

DID = {
    Verdict.FAIL: "breaks a law",
    Verdict.ERROR: "raised where a law asks for an answer",
    Verdict.CRASH: "ended its process where a law asks for an answer",
    Verdict.TIMEOUT: "gave no answer in time where a law asks for one",
}


def explain(  # noqa: PLR0913 - what was broken, by whom, on what
    law: Law, subject: Subject, plan: Plan, drawn: Drawn, failure: Failure, *, smallest: bool = True
) -> str:
    """Say what was broken and by what, with everything that is needed to see it again."""
    did = DID[verdict_of(failure)]
    given = _indented(literals(drawn))
    lines = [
        f"{subject.implementation.name} ({subject.dtype}, promised precision: {subject.precision.name}) {did}.",
        "",
        _entry("clause", f"{law.clause.id} (§{law.clause.section}): {law.clause.says}"),
        _entry("law", law.says),
        _entry("problem", repr(plan)),
        *(
            ["", f"  {'The smallest problem found' if smallest and drawn.axes else 'The problem, as it was given'}:"]
            if given
            else []
        ),
        *given,
        "",
        f"  {failure.sentence}",
    ]
    if isinstance(failure, Disagreement):
        lines += _comparison(failure, subject.dtype)
    return "\n".join(lines)


def literals(drawn: Drawn) -> list[str]:
    """Write the arrays as NumPy literals, to the bit, or their shapes where they are too large to read."""
    names = drawn.axes or [name for name in INPUTS if hasattr(drawn, name)]
    given = {name: getattr(drawn, name) for name in names} | getattr(drawn, "options", {})
    return [line for name, one in given.items() for line in _literal(name, one, drawn.dtype)]


def _literal(name: str, given: Any, dtype: str) -> list[str]:
    if not isinstance(given, np.ndarray):
        return [f"{name} = {given!r}"]
    if given.size <= ELEMENTS_TO_PRINT or is_of_one_number(given):
        return literal(name, given, dtype)
    return [f"# {name}: {'bool' if given.dtype == bool else dtype}, of shape {given.shape}"]


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
    if FEWEST_TO_COMPARE <= failure.got.size <= ELEMENTS_TO_COMPARE:
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
