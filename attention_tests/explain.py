"""A failure in words: the clause, the law, the smallest problem as literals, got, expected, error over bound."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np

from attention_tests.law import Drawn, Law, Plan
from attention_tests.subject import Subject
from attention_tests.verdict import Disagreement, ImplementationRaised

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

ELEMENTS_TO_PRINT = 512
ELEMENTS_TO_COMPARE = 24


def explain(law: Law, subject: Subject, plan: Plan, drawn: Drawn, failure: Disagreement | ImplementationRaised) -> str:
    """Say what was broken and by what, with everything that is needed to see it again."""
    lines = [
        f"{subject.implementation.name} ({subject.dtype}, promised precision: {subject.precision.name}) breaks a law.",
        "",
        f"  clause   {law.clause.id} (§{law.clause.section}): {law.clause.says}",
        f"  law      {law.says}",
        f"  problem  {_one_line(plan)}",
        *_indented(literals(drawn)),
        "",
        f"  {failure.sentence}",
    ]
    if isinstance(failure, Disagreement):
        lines += _comparison(failure)
    return "\n".join(lines)


def literals(drawn: Drawn) -> list[str]:
    """Write the arrays as NumPy literals, to the bit, or their shapes where they are too large to read."""
    lines = []
    for name in drawn.axes:
        array: Array = getattr(drawn, name)
        lines += (
            literal(name, array, drawn.dtype) if array.size <= ELEMENTS_TO_PRINT else [f"{name}: shape {array.shape}"]
        )
    scale = getattr(drawn, "scale", None)
    return lines if scale is None else [*lines, f"scale = {scale!r}"]


def one_line(drawn: Drawn) -> str:
    """Write the arrays in one line, for a report."""
    return ", ".join(f"{name} = {getattr(drawn, name).tolist()}" for name in drawn.axes)


def literal(name: str, array: Array, dtype: str) -> list[str]:
    """Write one array so that evaluating the text gives the same bits, in the fewest digits that do."""
    # NumPy has no bfloat16: every bfloat16 number is a float32 one.
    numpy_dtype = "float32" if dtype == "bfloat16" else dtype
    start = f"{name} = np.array("
    with np.errstate(over="ignore"):
        numbers = array.astype(numpy_dtype)
    text = np.array2string(
        numbers, separator=", ", threshold=sys.maxsize, max_line_width=100, prefix=start, floatmode="unique"
    )
    return f"{start}{text}, dtype=np.{numpy_dtype})".splitlines()


def _comparison(failure: Disagreement) -> list[str]:
    if failure.got is None or failure.expected is None or failure.where is None:
        return []
    got, expected = failure.got[failure.where], failure.expected[failure.where]
    place = f" at {list(map(int, failure.where))}" if failure.where else ""
    lines = [
        f"  got      {got!r}{place}".replace("np.float64", ""),
        f"  expected {expected!r}".replace("np.float64", ""),
    ]
    error = abs(got - expected)
    if failure.bound is None:
        lines.append(f"  error    {error:.3g}, where the same bits are owed")
    elif failure.bound > 0:
        lines.append(f"  error    {error:.3g}, {error / failure.bound:.3g} times the bound {failure.bound:.3g}")
    if 1 < failure.got.size <= ELEMENTS_TO_COMPARE:
        lines += _indented([*literal("got", failure.got, "float64"), *literal("expected", failure.expected, "float64")])
    return lines


def _one_line(plan: Plan) -> str:
    return " ".join(repr(plan).split())


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
