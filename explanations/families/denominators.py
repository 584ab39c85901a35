"""The denominator of the softmax: what is subtracted before it, what is in it too, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Explanation
from explanations.formula import Weighed, Weights
from explanations.rounded import Rounded
from explanations.steps import Forward

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def _shifted(shift: Callable[[Forward], Array | float], *, guarded: bool = False) -> Weights:
    """Return weights whose exponentials are of logits less something else than the largest, and may overflow."""

    def weights(forward: Forward) -> Rounded:
        exponentials = forward.exponentials_of(forward.logits, forward.seen, np.asarray(shift(forward)))
        total = exponentials.summed(-1)
        divided = exponentials / total
        return divided.where((total.value != 0) | (total.error != 0)) if guarded else divided

    return weights


def _mean_of_seen(forward: Forward) -> Array:
    count = np.maximum(forward.seen.sum(-1, keepdims=True), 1)
    return np.asarray(forward.logits.value.sum(-1, keepdims=True, where=forward.seen) / count)


def _of_all_queries(forward: Forward) -> Array:
    return np.asarray(forward.largest_of(forward.logits, forward.seen).max(-2, keepdims=True, initial=-np.inf))


def _of_hidden_too(forward: Forward) -> Array:
    return forward.largest_of(forward.logits, np.ones_like(forward.seen))


def _without_bias(forward: Forward) -> Array:
    return forward.largest_of(forward.capped, replace(forward.problem, bias=None).seen)


def _with_in_denominator(term: Callable[[Forward], Array | float]) -> Weights:
    """Return weights with a number more in each denominator."""

    def weights(forward: Forward) -> Rounded:
        return forward.exponentials / forward.exponentials.summed(-1).plus(term(forward))

    return weights


def _with_key_of_zero(forward: Forward) -> Rounded:
    shift = np.maximum(forward.largest, 0.0)
    exponentials = forward.exponentials_of(forward.logits, forward.seen, shift)
    return exponentials / exponentials.summed(-1).plus(np.exp(-shift))


def _unnormalised(forward: Forward) -> Rounded:
    return forward.exponentials


def _unnormalised_and_unshifted(forward: Forward) -> Rounded:
    return forward.exponentials_of(forward.logits, forward.seen, np.zeros(()))


def _twice(forward: Forward) -> Rounded:
    return forward.softmax(forward.weights, forward.seen)


def _hidden_in_denominator(forward: Forward) -> Rounded:
    return forward.softmax(forward.logits, np.ones_like(forward.seen)).where(forward.seen)


def _hidden_in_denominator_and_divided_again(forward: Forward) -> Rounded:
    return forward.normalised(_hidden_in_denominator(forward))


_SHIFTS = tuple(
    Weighed(f"{name}{'-guarded' if guarded else ''}", says, _shifted(shift, guarded=guarded))
    for guarded in (False, True)
    for name, says, shift in (
        (
            "no-maximum",
            "takes exponentials without subtracting the largest score: they overflow, or all underflow",
            lambda _: 0.0,
        ),
        (
            "mean-for-maximum",
            "subtracts the mean score in place of the largest one: exponentials overflow",
            _mean_of_seen,
        ),
        (
            "maximum-of-all-queries",
            "subtracts the largest score of all queries from those of each: all exponentials of a query underflow",
            _of_all_queries,
        ),
        (
            "maximum-not-below-zero",
            "subtracts a number that is never below a floor, as 0, not the largest score: low exponentials underflow",
            lambda forward: np.maximum(forward.largest, 0.0),
        ),
        (
            "maximum-of-hidden-scores",
            "subtracts the largest score of hidden keys, too: all exponentials of visible ones underflow",
            _of_hidden_too,
        ),
        (
            "maximum-without-bias",
            "subtracts the largest score as it is before the bias: exponentials overflow, or all underflow",
            _without_bias,
        ),
    )
)
_DENOMINATORS = (
    Weighed("not-normalised", "does not divide the exponentials by their sum", _unnormalised),
    Weighed(
        "not-normalised-nor-shifted",
        "takes exponentials of the scores themselves, and does not divide by their sum",
        _unnormalised_and_unshifted,
    ),
    Weighed("normalised-twice", "takes the softmax of the weights again", _twice),
    Weighed(
        "hidden-keys-in-denominator",
        "hides keys after the softmax: hidden ones stay in the denominator",
        _hidden_in_denominator,
        lambda forward: forward.log_sum_exp(forward.logits, np.ones_like(forward.seen)),
    ),
    Weighed(
        "hidden-after-softmax",
        "takes hidden keys into the softmax or its largest score, and hides them after it: weights of visible ones "
        "may all underflow",
        _hidden_in_denominator_and_divided_again,
    ),
    Weighed(
        "one-more-in-denominator",
        "adds 1 to the sum of the exponentials that are less the largest score",
        _with_in_denominator(lambda _: 1.0),
    ),
    Weighed(
        "zero-score-in-denominator",
        "has one more term e⁰ = 1 in the denominator, as if there were a key with a score of 0 and no value",
        _with_key_of_zero,
        lambda forward: forward.log_sum_exp(forward.logits, forward.seen).at(lambda sums: np.logaddexp(sums, 0.0)),
    ),
    *(
        Weighed(
            f"epsilon-of-1e-{digits}",
            f"adds an epsilon of about 1e-{digits} to the denominator",
            _with_in_denominator(lambda _, digits=digits: 10.0**-digits),  # type: ignore[misc]
        )
        for digits in range(2, 9)
    ),
)
EXPLANATIONS: tuple[Explanation, ...] = tuple(variant for one in (*_SHIFTS, *_DENOMINATORS) for variant in one.anywhere)
