"""The interval in which a correct answer lies: the oracle's value, and how far a correct implementation may stray."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reference.bounds.arithmetic import Roundings, flushes
from reference.bounds.formats import FORMATS, Array, half_ulp, round_to

ABOVE_ONE = np.nextafter(1.0, 2.0)


@dataclass(frozen=True)
class Interval:
    """The answers in `dtype` that are right: from RN(value - error) to RN(value + error), RN being rounding to `dtype`.

    Rounding to nearest never reorders two numbers, so that these are what an implementation can return whose result is
    within `error` before its one last rounding. `value` and `error` are float64, of the shape of the answer; the
    error is ∞ where a declared format may overflow, and nothing is promised; a value is NaN in a fully masked row,
    and only NaN is right there. `radius`, which `error` already has in it, is how far the value itself, computed in
    float64, may be from the exact answer.
    """

    value: Array
    error: Array
    dtype: str
    flush: bool
    radius: Array | float = 0.0

    @cached_property
    def vacuous(self) -> npt.NDArray[np.bool_]:
        """The elements of which nothing is promised: any answer is right."""
        return np.asarray(self.error == np.inf)

    @cached_property
    @np.errstate(all="ignore")
    def tolerance(self) -> Array:
        """The farthest that a right answer can be from the value: the error, and half a unit in the last place."""
        return self.error + half_ulp(np.abs(self.value) + self.error, self.dtype)

    @cached_property
    @np.errstate(all="ignore")
    def ends(self) -> tuple[Array, Array]:
        """The smallest and the largest answer that are right."""
        return round_to(self.value - self.error, self.dtype), round_to(self.value + self.error, self.dtype)

    @np.errstate(all="ignore")
    def accepts(self, got: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell of each element of the answer whether it is right."""
        got = np.asarray(got, np.float64)
        lowest, highest = self.ends
        right = (lowest <= got) & (got <= highest)
        format_ = FORMATS[self.dtype]
        if flushes(format_, flush=self.flush):
            subnormal = (lowest < format_.smallest_normal) & (highest > -format_.smallest_normal)
            right |= (got == 0) & subnormal
        sees_nothing = np.isnan(self.value) & np.isnan(got)
        return np.asarray(right | sees_nothing | self.vacuous)

    @np.errstate(all="ignore")
    def ratio(self, got: npt.ArrayLike) -> Array:
        """Return the error over the tolerance: above 1 exactly where the answer is wrong, ∞ where it is no number.

        0 where nothing is promised, or the answer is the very value.
        """
        got = np.asarray(got, np.float64)
        distance = np.abs(got - self.value)
        ratio = np.where(distance == 0, 0.0, distance / self.tolerance)
        right = np.minimum(np.where(np.isfinite(ratio), ratio, 0.0), 1.0)
        wrong = np.maximum(np.where(np.isnan(ratio), np.inf, ratio), ABOVE_ONE)
        return np.where(self.vacuous, 0.0, np.where(self.accepts(got), right, wrong))


Errors: TypeAlias = tuple[Array, Array | float]
"""An E, and the largest relative error D that it allows a weight."""


def widened(value: Array, declared: Errors, own: Errors, roundings: Roundings) -> Interval:
    """Return the interval around an oracle's value that is itself wrong by up to its own bound.

    `declared` is the error that `roundings` make and `own` that of float64, both evaluated in float64:
    hence the factor, for weights known to e^±2D and for rounding, and the radius once more where |v - o| is wrong by
    it. Where float64 does not know the shape of the weights, nothing is promised.
    """
    (error, most), (radius, own_most) = declared, own
    room = 1 + 2.0**-10 + 8 * np.minimum(own_most, 0.25)
    radius = (radius + half_ulp(value, "float64")) * room
    error = error * room + radius * np.minimum(1.0, np.expm1(np.minimum(2 * most, 1.0))) + radius
    error = np.where(np.greater(own_most, 0.25), np.inf, error)
    return Interval(value, error, roundings.dtype, roundings.flush, radius)
