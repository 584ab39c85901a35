"""Explanations that are wrong in one step of attention: in the weights, the log-sum-exp or the gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT, Aspect
from explanations.rounded import Rounded
from explanations.steps import BackwardPass, Forward, backward_of, forward_of
from properties.drawing.gradients import Gradients
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


Weights = Callable[[Forward], Rounded]
"""Returns the weights (batch, heads, n_q, n_k) that are computed of a problem."""
Sums = Callable[[Forward], Rounded]
"""Returns what is computed for the log-sum-exp, (batch, heads, n_q)."""
Formula = Callable[[BackwardPass], Sequence[Rounded]]
"""Returns the gradients of query, key and value."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """Wrong weights, which meet the values, and from which the gradients are computed."""

    name: str
    says: str
    weights: Weights
    sums: Sums | None = None
    """The mistake that is made in the log-sum-exp, too."""
    aspects: tuple[Aspect, ...] = (OUTPUT, LOG_SUM_EXP, GRADIENTS)
    unseen_too: bool = False
    """Whether rows that see nothing are as the weights make them, and not as the dialect says."""

    @np.errstate(all="ignore")
    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what these weights make of a problem; rows that see nothing are as the dialect says."""
        right = aspect.right(problem, precision)
        if aspect not in self.aspects or not isinstance(problem, Problem):
            return right
        if aspect is GRADIENTS:
            backward = backward_of(problem, precision)
            return _of_interest(backward.through(self.weights(backward)), right)
        forward = forward_of(problem, precision)
        if aspect is LOG_SUM_EXP:
            return right if self.sums is None else _of_interest([self.sums(forward)], right)
        computed = self.weights(forward) @ forward.value
        unseen = ~forward.sees & (not self.unseen_too)
        return [_with_rows(one, row, unseen) for one, row in zip(_of_interest([computed], right), right, strict=True)]

    @property
    def anywhere(self) -> Iterator[Weighed]:
        """The same mistake in all answers, and in each kind of them alone."""
        yield self
        for one in (OUTPUT, GRADIENTS) if self.sums is None else (OUTPUT, GRADIENTS, LOG_SUM_EXP):
            alone = one.name.removeprefix("the ").replace(" ", "-")
            yield replace(
                self, name=f"{self.name}-of-{alone}", says=f"{self.says}, in {one.name} alone", aspects=(one,)
            )

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether the mistake is not made in such answers."""
        unsaid = aspect is LOG_SUM_EXP and self.sums is None
        return unsaid or aspect not in self.aspects or not isinstance(problem, Problem)


@dataclass(frozen=True, eq=False)
class Summed:
    """A wrong log-sum-exp."""

    name: str
    says: str
    sums: Sums

    @np.errstate(all="ignore")
    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what the formula makes of the log-sum-exp; all else is right."""
        right = aspect.right(problem, precision)
        return _of_interest([self.sums(forward_of(problem, precision))], right) if aspect is LOG_SUM_EXP else right

    def leaves(self, aspect: Aspect, problem: Any) -> bool:  # noqa: ARG002 - any sum may be wrong
        """Tell whether the mistake is not made in such answers."""
        return aspect is not LOG_SUM_EXP


@dataclass(frozen=True, eq=False)
class Backpropagated:
    """A wrong formula of the gradients of some inputs."""

    name: str
    says: str
    formula: Formula
    gradients: tuple[str, ...] = Gradients._fields
    """The inputs whose gradients are wrong; the others are right."""

    @np.errstate(all="ignore")
    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what the formula makes of the gradients; all else is right."""
        right = aspect.right(problem, precision)
        if aspect is not GRADIENTS:
            return right
        predicted = _of_interest(self.formula(backward_of(problem, precision)), right)
        names = zip(Gradients._fields, predicted, right, strict=True)
        return [wrong if name in self.gradients else other for name, wrong, other in names]

    def leaves(self, aspect: Aspect, problem: Any) -> bool:  # noqa: ARG002 - any gradient may be wrong
        """Tell whether the mistake is not made in such answers."""
        return aspect is not GRADIENTS


def _of_interest(computed: Sequence[Rounded], right: Sequence[Interval]) -> list[Interval]:
    """Return the intervals of what is computed, with nothing promised where nothing is promised of right answers."""
    intervals = [one.interval for one in computed]
    return [
        replace(one, error=np.where(other.vacuous, np.inf, one.error), dtype=other.dtype)
        for one, other in zip(intervals, right, strict=True)
    ]


def _with_rows(interval: Interval, right: Interval, rows: Array) -> Interval:
    value, error = np.where(rows, right.value, interval.value), np.where(rows, right.error, interval.error)
    return replace(interval, value=value, error=error)
