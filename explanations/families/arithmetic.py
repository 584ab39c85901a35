"""Arithmetic: inputs, weights, sums or outputs that are rounded to a narrower format than declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from explanations.aspect import OUTPUT, Aspect
from explanations.explanation import Change, Changed, Explanation, Miscomputed, everywhere
from explanations.results import Altered, chosen, each, unchanged
from properties.checks.comparison import expected, of_scores
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem
from reference.bounds import error_bound
from reference.bounds.arithmetic import growth
from reference.bounds.formats import FORMATS, round_to
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Bounds = tuple[Array, Array]
"""The smallest and the largest that each of some numbers can be."""
NARROW = ("float32", "tf32", "float16", "bfloat16")
SMALL = {"2⁻¹⁴": 2.0**-14, "2⁻²⁴": 2.0**-24, "10⁻⁴": 1e-4, "10⁻⁶": 1e-6, "10⁻⁸": 1e-8}
WHICH = {
    "all inputs": ("query", "key", "value"),
    "keys and values": ("key", "value"),
    "queries": ("query",),
    "keys": ("key",),
    "values": ("value",),
}


def _is_narrower(format_: str, dtype: str) -> bool:
    return FORMATS[format_].digits < FORMATS[dtype].digits


def _rounded(format_: str, names: Sequence[str]) -> Change:
    """Return a change that rounds inputs to a narrower format."""

    def change(problem: Problem) -> Problem:
        if not _is_narrower(format_, problem.dtype):
            return problem
        return problem.with_arrays(**{name: round_to(getattr(problem, name), format_) for name in names})

    return everywhere(change)


def _through(format_: str) -> Callable[[Any, Interval], Interval]:
    """Return an alteration of an answer that is rounded to the format of the problem first, and then to another."""

    def alter(problem: Any, one: Interval) -> Interval:
        return replace(one, error=one.tolerance, dtype=format_) if _is_narrower(format_, problem.dtype) else one

    return alter


def _weights(problem: Problem, precision: Precision) -> Bounds:
    interval = of_scores(error_bound.weights, problem, precision)
    return np.maximum(interval.value - interval.tolerance, 0.0), interval.value + interval.tolerance


@np.errstate(all="ignore")
def _of_weights(alter: Callable[[Array, str], Array]) -> Callable[[Any, Precision], Sequence[Interval]]:
    """Return outputs of weights that are altered, by a function that never reorders two of them."""

    def computes(problem: Any, precision: Precision) -> Sequence[Interval]:
        right = expected(problem, precision)
        if not problem.key.shape[-2]:
            return (right,)
        low, high = (alter(weights, problem.dtype) for weights in _weights(problem, precision))
        value = problem.for_each_query_head(problem.value)
        keys, arithmetic = problem.key.shape[-2], roundings_of(precision, problem.dtype)
        roundings = growth((keys + 4, arithmetic.u))
        error = (high - low) / 2 @ np.abs(value) + roundings * (high @ np.abs(value)) + 2 * keys * arithmetic.lost
        altered = replace(right, value=(low + high) / 2 @ value, error=np.where(right.vacuous, np.inf, error))
        return (chosen(problem.seen.any(axis=-1, keepdims=True), altered, right),)

    return computes


@np.errstate(all="ignore")
def _of_total(format_: str) -> Callable[[Any, Precision], Sequence[Interval]]:
    """Return outputs that are divided by a rounded sum of exponentials: the largest weight is 1 over that sum."""

    def computes(problem: Any, precision: Precision) -> Sequence[Interval]:
        right = expected(problem, precision)
        if not problem.key.shape[-2] or not _is_narrower(format_, problem.dtype):
            return (right,)
        low, high = (weights.max(axis=-1, keepdims=True) for weights in _weights(problem, precision))
        largest, smallest = high * round_to(1 / high, format_), low * round_to(1 / low, format_)
        # The product of a total and its inverse, rounded: from one end of what the total can be to the other.
        ends = np.stack([high * round_to(1 / low, format_), low * round_to(1 / high, format_), largest, smallest])
        factors = 1 / ends.min(axis=0), 1 / ends.max(axis=0)
        middle, half = (factors[0] + factors[1]) / 2, np.abs(factors[0] - factors[1]) / 2
        error = half * np.abs(right.value) + (middle + half) * right.tolerance
        altered = replace(right, value=right.value * middle, error=np.where(right.vacuous, np.inf, error))
        return (chosen(problem.seen.any(axis=-1, keepdims=True), altered, right),)

    return computes


@dataclass(frozen=True, eq=False)
class LessExact:
    """The right attention, with the bound of another precision than the one that is declared."""

    name: str
    says: str
    of: Callable[[Precision, str], Precision | None]
    """Returns the precision for a declared one and a dtype; None where it is none that is less exact."""

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return the right answer with the wider bound."""
        return aspect.right(problem, self.of(precision, problem.dtype) or precision)

    def leaves(self, aspect: Aspect, problem: Any) -> bool:  # noqa: ARG002 - all answers may be less exact
        """Tell whether nothing is less exact, which is not seen."""
        return False


def _inputs() -> Iterator[Explanation]:
    for format_ in NARROW:
        for which, names in WHICH.items():
            yield Changed(
                f"{which.replace(' ', '-')}-in-{format_}",
                f"rounds {which} to {format_} first, narrower than declared: if that is meant, declare a Precision "
                f"with inputs={format_!r}",
                _rounded(format_, names),
            )
        yield Altered(
            f"output-through-{format_}",
            f"rounds the output to {format_} on its way: if that is meant, declare a Precision of {format_}",
            unchanged,
            each(_through(format_)),
        )
        if format_ != "float32":
            yield from _of_format(format_)


def _of_format(format_: str) -> Iterator[Explanation]:
    def rounded(weights: Array, dtype: str) -> Array:
        return round_to(weights, format_) if _is_narrower(format_, dtype) else weights

    yield Miscomputed(
        f"weights-in-{format_}",
        f"rounds the weights to {format_}: if that is meant, declare a Precision with weights={format_!r}",
        {OUTPUT: _of_weights(rounded)},
    )
    yield Miscomputed(
        f"total-in-{format_}",
        f"rounds the sum of the exponentials to {format_}, narrower than declared",
        {OUTPUT: _of_total(format_)},
    )


def _without_small(least: float) -> Callable[[Array, str], Array]:
    return lambda weights, _: np.where(weights < least, 0.0, weights)


def _small() -> Iterator[Explanation]:
    for says, least in SMALL.items():
        yield Miscomputed(
            f"weights-below-{least:.1e}-are-zero",
            f"takes weights below {says} for zero",
            {OUTPUT: _of_weights(_without_small(least))},
        )


EXPLANATIONS: tuple[Explanation, ...] = (*_inputs(), *_small())


def _usual(name: str) -> Callable[[Precision, str], Precision | None]:
    """Return the precision of a name that is usual for a dtype."""
    return lambda _, dtype: next((one for one in Precision.ladder(dtype)[1:] if one.name == name), None)


_SAYS = (
    "is never farther off than by the rounding errors of Precision.{}, but farther than by those of the precision that "
    "is declared: if such arithmetic is meant, declare that"
)
LESS_EXACT: tuple[Explanation, ...] = tuple(
    LessExact(f"as-exact-as-{name}", _SAYS.format(f"{name}({argument})"), _usual(name))
    for name, argument in {"single": "", "flash": "dtype", "eager": "dtype", "pure": "dtype"}.items()
)
"""The explanations that are named where nothing else explains all answers, the most exact first.

Not tf32: its bound is so wide that other small mistakes, such as a scale that is off by a thousandth, are in it.
"""
FEWEST = 8
"""The number of wrong answers, at least, that show that an implementation is less exact than declared."""
