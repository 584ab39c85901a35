"""Rounded numbers: what a formula makes of its inputs, and how far a kernel may stray that computes it by roundings.

The bound is carried through the formula, operation by operation, so that a wrong formula has one as any other. It is
wider than those of `reference.bounds`, which know how errors cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np

from reference.bounds.arithmetic import ORACLE, Roundings, growth
from reference.bounds.formats import FORMATS, half_ulp
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True, eq=False)
class Rounded:
    """Numbers, each with the farthest that a kernel's may be from it, both float64 and of one shape."""

    value: Array
    error: Array
    roundings: Roundings

    @classmethod
    def of(cls, given: Array, roundings: Roundings) -> Self:
        """Return numbers that a kernel is given, and may round to another format or flush first."""
        return cls(given, roundings.u_inputs * np.abs(given) + roundings.lost_inputs, roundings)

    @property
    def sizes(self) -> Array:
        """The largest sizes that the numbers of a kernel can have."""
        return np.abs(self.value) + self.error

    def __add__(self, other: Rounded) -> Rounded:
        """Return sums."""
        return self._rounded(self.value + other.value, self.error + other.error)

    def __sub__(self, other: Rounded) -> Rounded:
        """Return differences."""
        return self._rounded(self.value - other.value, self.error + other.error)

    def __mul__(self, other: Rounded) -> Rounded:
        """Return products."""
        error = self.error * np.abs(other.value) + self.sizes * other.error
        return self._rounded(self.value * other.value, error)

    def __truediv__(self, other: Rounded) -> Rounded:
        """Return quotients, of which nothing is known where the divisor may be 0; 0 / 0 and ∞ / ∞ are no number."""
        value, least = self.value / other.value, np.abs(other.value) - other.error
        error = (self.error + np.abs(value) * other.error) / least
        unknown = (least <= 0) & (other.error > 0)
        return self._rounded(value, np.where(unknown, np.inf, error))

    def __matmul__(self, other: Rounded) -> Rounded:
        """Return sums of products: (…, n, m) and (…, m, d) to (…, n, d)."""
        sizes = self.sizes
        error = self.error @ np.abs(other.value) + sizes @ other.error
        n = self.value.shape[-1]
        error = error + growth((n, self.roundings.u)) * (sizes @ other.sizes) + n * self.roundings.lost
        return self._rounded(self.value @ other.value, error)

    def times(self, factor: Array | float) -> Rounded:
        """Return the numbers times an array or number that is rounded, too, and stored or not."""
        size = np.abs(factor)
        return self._rounded(self.value * factor, self.error * size + growth((4, self.roundings.u)) * self.sizes * size)

    def plus(self, term: Array | float) -> Rounded:
        """Return the numbers and an array or number that is rounded."""
        return self._rounded(self.value + term, self.error + self.roundings.u * np.abs(term))

    def summed(self, *axes: int) -> Rounded:
        """Return the sums along some axes, which stay."""
        n = int(np.prod([self.value.shape[axis] for axis in axes]))
        value, error = (array.sum(axis=axes, keepdims=True) for array in (self.value, self.error))
        added = growth((n, self.roundings.u)) * self.sizes.sum(axis=axes, keepdims=True)
        return self._rounded(value, error + added)

    def exp(self) -> Rounded:
        """Return exponentials, 0 or ∞ where the format of sums has no other numbers for them."""
        accumulate, error = self.roundings.accumulate, self.error + self.roundings.u * np.abs(self.value)
        grown = np.expm1(error) * (1 + self.roundings.exp_error) + self.roundings.exp_error
        value = np.exp(self.value)
        largest, least = np.log(accumulate.max), np.log(accumulate.smallest_subnormal) - 1
        overflows, vanishes = self.value - error > largest, self.value + error < least
        moved = np.where(vanishes | overflows, 0.0, value * grown + self.roundings.lost)
        moved = np.where(~overflows & (self.value + error > largest), np.inf, moved)
        return self._rounded(np.where(overflows, np.inf, np.where(vanishes, 0.0, value)), moved)

    def log(self) -> Rounded:
        """Return logarithms."""
        value = np.log(self.value)
        return self._rounded(value, -np.log1p(-np.minimum(self.error / self.value, 1.0)) + 4 * self.roundings.u)

    def at(self, function: Callable[[Array], Array], steepest: float | None = None) -> Rounded:
        """Return a function of each number to a few roundings of its values: nowhere steeper, or never turning."""
        value = function(self.value)
        if steepest is None:
            ends = (function(self.value - self.error), function(self.value + self.error))
            error = np.maximum(*(np.abs(end - value) for end in ends))
        else:
            error = steepest * self.error
        few = growth((6, self.roundings.u)) + self.roundings.exp_error
        return self._rounded(value, error + few * (np.abs(value) + error))

    def like(self, function: Callable[[Array], Array]) -> Rounded:
        """Return the numbers elsewhere: transposed, repeated, reversed or picked."""
        return replace(self, value=function(self.value), error=function(self.error))

    def where(self, condition: Array, other: float = 0.0) -> Rounded:
        """Return the numbers where a condition holds, and another, which is exact, elsewhere."""
        return replace(self, value=np.where(condition, self.value, other), error=np.where(condition, self.error, 0.0))

    @property
    def transposed(self) -> Rounded:
        """The same with its last two axes exchanged."""
        return self.like(lambda array: array.swapaxes(-1, -2))

    def stored(self) -> Rounded:
        """Return the numbers after they were stored in the format of the inputs."""
        error = self.error + half_ulp(self.sizes, self.roundings.dtype) + self.roundings.lost_inputs
        return replace(self, error=np.where(self.sizes >= FORMATS[self.roundings.dtype].max, np.inf, error))

    @property
    def interval(self) -> Interval:
        """The numbers that a kernel may answer, with the oracle's own roundings; NaN where it is NaN."""
        share = min(self.roundings.share_of(ORACLE), 1.0)
        error = self.error * (1 + share)
        error = np.where(np.isnan(error), np.inf, error)
        error = np.where(np.isnan(self.value) | np.isinf(self.value) & ~np.isinf(self.error), 0.0, error)
        return Interval(self.value, error, self.roundings.dtype, self.roundings.flush, share * error)

    def _rounded(self, value: Array, error: Array) -> Rounded:
        """Return the result of an operation, which is rounded and may be stored."""
        u = growth(
            (1, self.roundings.u),
            (1, self.roundings.u_scores),
            (1, self.roundings.u_weights),
            (1, self.roundings.u_prescale),
        )
        lost = self.roundings.lost + self.roundings.lost_scores + self.roundings.lost_weights
        size = np.where(np.isfinite(value), np.abs(value), 0.0) + error
        vanishes = np.abs(value) + error < self.roundings.accumulate.smallest_subnormal / 2
        value, error = np.where(vanishes, 0.0, value), np.where(vanishes, 0.0, error)
        rounded = error + u * size + np.where((value == 0) & (error == 0), 0.0, lost)
        largest = self.roundings.accumulate.max
        if (size <= largest).all():
            return replace(self, value=value, error=rounded)
        overflows = np.abs(value) - error > largest
        rounded = np.where(overflows, 0.0, np.where(size > largest, np.inf, rounded))
        return replace(self, value=np.where(overflows, np.copysign(np.inf, value), value), error=rounded)
