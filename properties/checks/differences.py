"""Central differences: the change of an output over a small step, as its gradients predict it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, expected
from properties.checks.gradients import expected_gradients, gradients
from properties.drawing.gradients import Backward
from properties.drawing.problem import Problem
from reference.bounds.formats import FORMATS

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True)
class SmallStep:
    """A step of `length` along `direction` from one of the three inputs, φ being the sum of the outputs times signs.

    Scores are linear along it and weights are exponential in the scores. So each output is one of the means E[v] of an
    exponential family, whose third derivative is E[a³v] - 3 E[a²] E[a v] in the deviations of the slopes a of the
    scores and of the values v from their means. With A and V their ranges that is no more than A³V (1/4 + 3/16), and
    the central difference of φ is within length² / 6 of that, for each output, from its derivative.
    """

    problem: Backward
    name: str
    direction: Array
    length: float

    @classmethod
    def of(cls, problem: Backward) -> SmallStep:
        """Draw a step of -1, 0 or 1 in each element of one input: small integers stay exact.

        Its length is about the cube root of the rounding unit, where curvature and rounding cost the same.
        """
        name = str(problem.random.choice(["query", "key", "value"]))
        direction = problem.random.integers(-1, 2, getattr(problem, name).shape).astype(float)
        signs = problem.with_arrays(upstream=np.sign(problem.upstream))
        return cls(signs, name, direction, 2.0 ** -(FORMATS[problem.dtype].digits // 3))

    def after_steps(self, times: int) -> Problem:
        """Return the problem after a number of steps."""
        moved = getattr(self.problem, self.name) + times * self.length * self.direction
        return self.problem.with_arrays(**{self.name: moved})

    def difference(self, subject: Subject) -> Array:
        """Return the central difference of φ."""
        outputs = np.stack([answer(subject, self.after_steps(1)), -answer(subject, self.after_steps(-1))])
        return _sum(self.problem.upstream * outputs) / (2 * self.length)

    def predicted_difference(self, subject: Subject) -> Array:
        """Return the derivative of φ along the step, according to the gradient."""
        return _sum(getattr(gradients(subject, self.problem), self.name) * self.direction)

    def slack(self, precision: Precision) -> Array:
        """Return how far the two may be apart: the tolerances of all outputs, and the curvature.

        A tolerance is no less than half a unit in the last place, so that rounding a sum of outputs costs no more than
        twice their tolerances, and rounding the difference of two sums no more than twice again: five in all.
        """
        oracle = getattr(expected_gradients(self.problem, precision), self.name)
        outputs = [expected(self.after_steps(times), precision) for times in (1, -1)]
        strays = sum((np.abs(self.problem.upstream) * output.tolerance).sum() for output in outputs) / (2 * self.length)
        strays += oracle.tolerance[self.direction != 0].sum()
        return np.asarray(5 * strays + self.curvature())

    def curvature(self) -> float:
        """Return length² / 6 times the largest third derivative of φ: 0 for values, in which φ is linear."""
        if self.name == "value":
            return 0.0
        still = self.problem.with_arrays(**{self.name: self.direction})
        slopes = still.query @ still.key.mT / math.sqrt(still.d_k)
        ranges = np.ptp(slopes, axis=-1)[..., None] ** 3 * np.ptp(self.problem.value, axis=-2)[..., None, :]
        return float(self.length**2 / 12 * (np.abs(self.problem.upstream) * ranges).sum())


def _sum(terms: Array) -> Array:
    """Return the sum, rounded once: NaN if a term is not finite, or if the sum of the magnitudes overflows."""
    return np.asarray(math.fsum(terms.flat) if np.isfinite(np.abs(terms).sum()) else math.nan)
