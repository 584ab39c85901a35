"""The weighted mean of the rows of the identity matrix, which is the weights, and its errors, for any number of keys.

`softmax_error.Mean` would have n_k × n_k values for each query. Here the value of a key is 1 in the column of that key,
and 0 in all others, so that one key stands against the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reference.bounds.formats import Array
from reference.bounds.softmax_error import SMALL, Softmax, WeightError
from reference.bounds.supremum import with_room


@dataclass(frozen=True)
class IdentityMean:
    """The weights as a mean o = p of values: column j has the value 1 at key j, and 0 at all others."""

    output: Array
    """p, (…, n_q, n_k); NaN for a query that sees no key."""
    farthest: Array
    """max |v - o| over the visible keys, (…, n_q, n_k)."""

    @classmethod
    def of(cls, softmax: Softmax) -> Self:
        """Take it from a softmax."""
        seen = softmax.visible
        sees = seen.any(-1, keepdims=True)
        others = np.where(seen.sum(-1, keepdims=True) > 1, softmax.weights, 0.0)
        farthest = np.where(seen, np.maximum(1 - softmax.weights, others), 0.0)
        return cls(output=np.where(sees, softmax.weights, np.nan), farthest=farthest)

    def error(self, softmax: Softmax, error: WeightError) -> Array:
        """Return E_w, as `softmax_error.Mean.error` does."""
        weights, excess = np.where(softmax.visible, softmax.weights, 0.0), error.excess
        total = excess.sum(-1, keepdims=True)
        moved = excess * (1 - weights) + weights * (total - excess)
        bound = np.minimum(moved / error.least_total, self.farthest)
        largest = error.largest > SMALL
        if not largest.any():
            return np.asarray(bound)
        most, least = _extremes(softmax, error)
        exact = with_room(np.maximum(most - weights, weights - least), 1.0)
        return np.where(largest, exact, bound)

    def largest(self, softmax: Softmax, error: WeightError, value_error: Array | None = None) -> Array:
        """Return a', the most that a weight can be."""
        assert value_error is None, "the identity is exact"
        weights = np.where(softmax.visible, softmax.weights, 0.0)
        bound = np.minimum((weights + error.excess) / error.least_total, softmax.visible)
        largest = error.largest > SMALL
        if not largest.any():
            return np.asarray(bound)
        most, _ = _extremes(softmax, error)
        return np.where(largest, weights + with_room(most - weights, 1.0), bound)

    @staticmethod
    def weighed(each: npt.NDArray[np.floating | np.bool_], value_error: Array | None = None) -> Array:
        """Return the sums of what each key has (…, n_q, n_k) times the sizes of the values."""
        assert value_error is None, "the identity is exact"
        return each.astype(np.float64)


def _extremes(softmax: Softmax, error: WeightError) -> tuple[Array, Array]:
    """Return the most and the least that each weight can be: it is wrong in one direction, all others in the other."""
    log_weights = np.where(softmax.visible, -softmax.below, -np.inf)
    top = (log_weights + error.each).max(-1, keepdims=True)
    top = np.where(np.isneginf(top), 0.0, top)
    up, down = np.exp(log_weights + error.each - top), np.exp(log_weights - error.each - top)
    others_up = np.maximum(up.sum(-1, keepdims=True) - up, 0.0)
    others_down = np.maximum(down.sum(-1, keepdims=True) - down, 0.0)
    most = np.where(up + others_down == 0, softmax.visible, up / (up + others_down))
    least = np.where(down + others_up == 0, 0.0, down / (down + others_up))
    return most, least
