"""Wrong answers that are the right ones to another problem, moved, multiplied or written over afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from explanations.aspect import OUTPUT, Aspect
from explanations.explanation import Change
from reference.bounds.arithmetic import growth
from reference.bounds.formats import FORMATS
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
After = Callable[[Any, Sequence[Interval]], Sequence[Interval]]
"""Returns what becomes of an answer, given the problem that was asked; the answer as it is where nothing is wrong."""


def unchanged(problem: Any) -> Any:
    """Return the problem as it is."""
    return problem


def unaltered(_: Any, answers: Sequence[Interval]) -> Sequence[Interval]:
    """Return the answers as they are."""
    return answers


@dataclass(frozen=True, eq=False)
class Altered:
    """The right attention of another problem, whose answer is altered afterwards."""

    name: str
    says: str
    change: Change
    after: After
    aspects: tuple[Aspect, ...] = (OUTPUT,)
    """The answers in which the mistake is made; all others are right."""
    where_changed: bool = False
    """Whether an answer is altered only where the problem is another."""

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return the right answer to the changed problem, altered."""
        if aspect not in self.aspects:
            return aspect.right(problem, precision)
        return self.after(problem, aspect.right(self.change(problem), precision))

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether the mistake is not made in such answers, or not where the problem stays the same."""
        return aspect not in self.aspects or (self.where_changed and self.change(problem) == problem)


def each(alter: Callable[[Any, Interval], Interval]) -> After:
    """Alter each array of an answer in the same way."""
    return lambda problem, answers: [alter(problem, one) for one in answers]


def mapped(interval: Interval, function: Callable[[Array], Array]) -> Interval:
    """Return an interval whose numbers are moved, repeated or left out by a function of an array."""
    radius = np.broadcast_to(interval.radius, interval.value.shape)
    return replace(
        interval, value=function(interval.value), error=function(interval.error), radius=np.asarray(function(radius))
    )


def written_over(interval: Interval, where: Array, number: float = 0.0) -> Interval:
    """Return an interval with a number, exactly, at some places."""
    where = np.broadcast_to(where, interval.value.shape)
    return replace(interval, value=np.where(where, number, interval.value), error=np.where(where, 0.0, interval.error))


def chosen(where: Array, one: Interval, other: Interval) -> Interval:
    """Return one interval at some places, and another one at all others."""
    value, error, radius = (
        np.where(where, a, b)
        for a, b in ((one.value, other.value), (one.error, other.error), (one.radius, other.radius))
    )
    return replace(other, value=value, error=error, radius=radius)


def times(interval: Interval, factor: float) -> Interval:
    """Return an interval times a factor, both rounded to the format, and their product too."""
    value, roundings = interval.value * factor, growth((2, FORMATS[interval.dtype].unit_roundoff))
    error = abs(factor) * interval.tolerance
    return replace(interval, value=value, error=error + roundings * (np.abs(value) + error))


def total(interval: Interval, into: Array) -> Interval:
    """Return sums over the heads, (batch, heads, …), of each row of `into`, (sums, heads), of zeros and ones."""
    value, error, size = (
        np.einsum("kh,bh...->bk...", into, array)
        for array in (interval.value, interval.tolerance, np.abs(interval.value) + interval.tolerance)
    )
    roundings = growth((into.shape[1], FORMATS[interval.dtype].unit_roundoff))
    return replace(interval, value=value, error=error + roundings * size, radius=0.0)
