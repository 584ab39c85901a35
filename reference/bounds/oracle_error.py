"""The errors of the oracle itself, which computes in float64: a share of the declared ones, where that proves enough.

An error of `error_bound` or `gradient_bound` is made of sums, products and powers, exponentials and logarithms of sums
of exponentials, each of which grows at least in proportion to the roundings: r < 1 times all of them make no more than
r times the error. It is not so where a mean is bounded by its farthest value or by the exact supremum, which is where
some D is large, or where a soft cap bounds the error of a score. There, and where the share is not next to nothing, the
errors of the oracle are computed for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reference.bounds.arithmetic import ORACLE, Roundings
from reference.bounds.formats import Array
from reference.bounds.interval import Errors, Interval, widened
from reference.bounds.softmax_error import SMALL

NEXT_TO_NOTHING = 2.0**-20


def around(
    value: Array, error_of: Callable[[Roundings], Errors], roundings: Roundings, *, capped: bool = False
) -> Interval:
    """Return the interval around an oracle's value, of the errors that these roundings make and those of the oracle."""
    declared = error_of(roundings)
    (own,) = own_errors([declared], lambda: [error_of(ORACLE)], roundings, capped=capped)
    return widened(value, declared, own, roundings)


def own_errors(
    declared: Sequence[Errors], computed: Callable[[], Sequence[Errors]], roundings: Roundings, *, capped: bool
) -> Sequence[Errors]:
    """Return the errors of the oracle: of each element a share of the declared one, or what is computed."""
    share = roundings.share_of(ORACLE)
    if share > NEXT_TO_NOTHING or capped:
        return computed()
    shares = [(share * error, share * most) for error, most in declared]
    proven = [((most <= SMALL) & np.isfinite(error), most <= SMALL) for error, most in declared]
    if all(of_errors.all() for of_errors, _ in proven):
        return shares
    return [
        (np.where(of_errors, error, own), np.where(of_most, most, own_most))
        for (of_errors, of_most), (error, most), (own, own_most) in zip(proven, shares, computed(), strict=True)
    ]
