"""The log-sum-exp: of another base or sign, of other scores, without its largest score, or no logarithm."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from explanations.formula import Summed, Sums
from explanations.rounded import Rounded
from explanations.steps import Forward


def _right(forward: Forward) -> Rounded:
    return forward.log_sum_exp(forward.logits, forward.seen)


def _largest(forward: Forward) -> Rounded:
    seen = np.where(forward.seen, forward.logits.value, -np.inf)
    error = forward.logits.error.max(-1, initial=0.0, where=forward.seen)
    return Rounded(seen.max(-1, initial=-np.inf), error, forward.roundings)


def _without_largest(forward: Forward) -> Rounded:
    return _seeing(forward, forward.exponentials.summed(-1).log())


def _total(forward: Forward) -> Rounded:
    return forward.exponentials.summed(-1).like(lambda array: array[..., 0])


def _sum(forward: Forward) -> Rounded:
    return _unshifted(forward).like(lambda array: array[..., 0])


def _unshifted(forward: Forward) -> Rounded:
    return forward.exponentials_of(forward.logits, forward.seen, np.zeros(())).summed(-1)


def _overflowing(forward: Forward) -> Rounded:
    return _unshifted(forward).log().like(lambda array: array[..., 0])


def _seeing(forward: Forward, sums: Rounded) -> Rounded:
    return sums.where(forward.sees, -np.inf).like(lambda array: array[..., 0])


def _times(factor: Callable[[Forward], float]) -> Sums:
    def sums(forward: Forward) -> Rounded:
        right = _right(forward)
        return right.where(np.isfinite(right.value)).times(factor(forward)).where(np.isfinite(right.value), -np.inf)

    return sums


def _mean(forward: Forward) -> Rounded:
    count = forward.seen.sum(-1, keepdims=True)
    return _right(forward).plus(-np.log(np.maximum(count, 1))[..., 0])


def _of_hidden_too(forward: Forward) -> Rounded:
    return forward.log_sum_exp(forward.logits, np.ones_like(forward.seen))


def _without_one(forward: Forward) -> Rounded:
    largest = forward.largest[..., 0]
    return _right(forward).plus(-2 * largest)


def _reordered(order: Callable[[Rounded], Rounded]) -> Sums:
    return lambda forward: order(_right(forward))


def _laid_out_by_query(sums: Rounded) -> Rounded:
    """Return sums that lie (batch, n_q, heads) in memory, read as (batch, heads, n_q)."""
    return sums.like(lambda array: array.swapaxes(1, 2).reshape(array.shape))


def _raw(forward: Forward) -> Rounded:
    return forward.log_sum_exp(forward.raw, forward.seen)


EXPLANATIONS = tuple(
    Summed(name, f"{says}", sums)
    for name, says, sums in (
        ("lse-in-base-two", "returns the log-sum-exp to base 2", _times(lambda _: math.log2(math.e))),
        ("lse-times-log-two", "multiplies the log-sum-exp by log 2 once too often", _times(lambda _: math.log(2))),
        ("lse-in-base-ten", "returns the log-sum-exp to base 10", _times(lambda _: math.log10(math.e))),
        ("lse-negative", "returns the log-sum-exp with the other sign", _times(lambda _: -1.0)),
        ("lse-scaled", "multiplies the log-sum-exp by the scale", _times(lambda forward: forward.scale)),
        (
            "lse-without-largest",
            "returns the logarithm of the sum of exponentials that are less the largest score, without adding it",
            _without_largest,
        ),
        ("lse-is-largest", "returns the largest score in place of the log-sum-exp", _largest),
        ("lse-is-sum", "returns the sum of exponentials in place of its logarithm", _sum),
        (
            "lse-is-shifted-sum",
            "returns the sum of exponentials that are less the largest score in place of the log-sum-exp",
            _total,
        ),
        ("lse-overflows", "takes the log-sum-exp without subtracting the largest score: it overflows", _overflowing),
        ("lse-less-largest", "subtracts the largest score from the logarithm in place of adding it", _without_one),
        ("lse-of-mean", "returns the logarithm of the mean of exponentials in place of their sum", _mean),
        ("lse-of-hidden-too", "counts hidden keys in the log-sum-exp", _of_hidden_too),
        (
            "lse-of-raw-scores",
            "returns the log-sum-exp of the scores before the scale, the soft cap and the bias",
            _raw,
        ),
        (
            "lse-without-cap-and-bias",
            "returns the log-sum-exp of the scaled scores, without soft cap and bias",
            lambda forward: forward.log_sum_exp(forward.scaled, forward.seen),
        ),
        (
            "lse-of-scores-alone",
            "returns the log-sum-exp of the scaled scores, without all options",
            lambda forward: forward.log_sum_exp(forward.scaled, np.ones_like(forward.seen)),
        ),
        (
            "lse-of-heads-reversed",
            "returns the log-sum-exps of the heads in reverse order",
            _reordered(lambda sums: sums.like(lambda array: array[:, ::-1])),
        ),
        (
            "lse-of-first-head",
            "returns the log-sum-exp of the first head for all",
            _reordered(lambda sums: sums.like(lambda array: np.broadcast_to(array[:, :1], array.shape))),
        ),
        (
            "lse-of-queries-reversed",
            "returns the log-sum-exps of the queries in reverse order",
            _reordered(lambda sums: sums.like(lambda array: array[..., ::-1])),
        ),
        ("lse-laid-out-by-query", "lays log-sum-exps out as (batch, queries, heads)", _reordered(_laid_out_by_query)),
    )
)
