"""The softmax: another axis, another exponential, another denominator, or none, or exponentials that overflow."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import LOG_SUM_EXP, OUTPUT
from explanations.explanation import Changed, Explanation, everywhere
from explanations.formula import Forward, Weighed, Weights
from explanations.rounded import Rounded
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def _over(*axes: int) -> Weights:
    """Return weights that are normalised over some axes of (batch, heads, n_q, n_k)."""

    def weights(forward: Forward) -> Rounded:
        largest = forward.logits.value.max(axes, keepdims=True, initial=-np.inf, where=forward.seen)
        shift = np.where(np.isneginf(largest), 0.0, largest)
        exponentials = forward.exponentials_of(forward.logits, forward.seen, shift)
        total = exponentials.summed(*axes)
        return (exponentials / total).where(np.broadcast_to(total.value != 0, exponentials.value.shape))

    return weights


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


def _in_place_of_exp(function: Callable[[Array], Array]) -> Weights:
    """Return weights with another function of the logits than exp, divided by their sum."""

    def weights(forward: Forward) -> Rounded:
        return forward.normalised(forward.logits.at(function).where(forward.seen))

    return weights


def _sigmoid(forward: Forward) -> Rounded:
    return forward.logits.at(lambda scores: np.exp(-np.logaddexp(0.0, -scores))).where(forward.seen)


def _identity(forward: Forward) -> Rounded:
    return forward.logits.where(forward.seen)


def _equal(forward: Forward) -> Rounded:
    return forward.normalised(Rounded.of(np.ones(forward.seen.shape), forward.roundings).where(forward.seen))


def _one_hot(forward: Forward) -> Rounded:
    """Return all weight on the largest logit, the first one of equals, where no other is within the error of it."""
    logits = forward.logits
    top = np.where(forward.seen, logits.value, -np.inf).argmax(-1)[..., None]
    largest, error = (np.take_along_axis(one, top, -1) for one in (logits.value, logits.error))
    first = np.arange(logits.value.shape[-1]) == top
    near = forward.seen & ~first & (logits.value + logits.error > largest - error) & (logits.value != largest)
    unknown = np.broadcast_to(near.any(-1, keepdims=True), first.shape)
    value = (first & forward.seen).astype(float)
    return Rounded(value, np.where(unknown, np.inf, 0.0), forward.roundings)


def _polynomial(degree: int) -> Weights:
    """Return weights by a polynomial in place of exp, whose terms cancel, for logits less the largest."""

    def weights(forward: Forward) -> Rounded:
        below = forward.logits - Rounded.of(forward.largest, forward.roundings)
        terms = [below.value**n / math.factorial(n) for n in range(degree + 1)]
        sizes = np.sum(np.abs(terms), axis=0)
        error = below.error * np.sum(np.abs(terms[:-1]), axis=0) + 16 * forward.roundings.u * sizes
        return forward.normalised(Rounded(np.sum(terms, axis=0), error, forward.roundings).where(forward.seen))

    return weights


def _with_floor(floor: float) -> Weights:
    def weights(forward: Forward) -> Rounded:
        return forward.normalised(forward.weights.plus(floor).where(forward.seen))

    return weights


def _scale(problem: Problem) -> float:
    return problem.d_k**-0.5 if problem.scale is None else problem.scale


def _of_length_one(rows: Array) -> Array:
    lengths = np.sqrt((rows * rows).sum(-1, keepdims=True))
    return rows / np.where(lengths > 0, lengths, 1.0)


def _exchanged(problem: Problem) -> Problem:
    if problem.query.shape != problem.key.shape:
        return problem
    return replace(problem, query=problem.key, key=problem.query)


_AXES = (
    Weighed("softmax-over-queries", "takes the softmax over the queries in place of the keys", _over(-2)),
    Weighed("softmax-over-heads", "takes the softmax over the heads in place of the keys", _over(1)),
    Weighed("softmax-over-batches", "takes the softmax over the batch in place of the keys", _over(0)),
    Weighed("softmax-over-queries-and-keys", "takes the softmax over queries and keys together", _over(-2, -1)),
)
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
            "subtracts a largest score that is never below 0: exponentials of low scores all underflow",
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
_FUNCTIONS = (
    Weighed("sigmoid", "takes the sigmoid of each score in place of a softmax", _sigmoid),
    Weighed("no-softmax", "weighs values by the scores themselves, without a softmax", _identity),
    Weighed("softplus", "takes log(1 + eˢ) in place of eˢ", _in_place_of_exp(lambda scores: np.logaddexp(scores, 0.0))),
    Weighed("relu", "takes max(s, 0) in place of eˢ", _in_place_of_exp(lambda scores: np.maximum(scores, 0.0))),
    Weighed("equal-weights", "gives equal weights to all visible keys, whatever their scores", _equal),
    Weighed("largest-alone", "gives all weight to the largest score", _one_hot),
    *(
        Weighed(f"polynomial-of-{n}", f"takes a polynomial of degree {n} in place of eˢ", _polynomial(n))
        for n in (1, 2, 3, 4)
    ),
    *(Weighed(f"floor-of-1e-{n}", f"adds about 1e-{n} to each weight", _with_floor(10.0**-n)) for n in (2, 3, 4, 5, 6)),
)

_SCORES = (
    Changed(
        "scores-negated",
        "negates the scores: the least similar key gets the largest weight",
        everywhere(lambda problem: replace(problem, scale=-_scale(problem))),
    ),
    Changed(
        "cosines",
        "takes cosines of queries and keys for scores, and scales them",
        everywhere(
            lambda problem: replace(problem, query=_of_length_one(problem.query), key=_of_length_one(problem.key))
        ),
        (OUTPUT, LOG_SUM_EXP),
    ),
    Changed(
        "cosines-not-scaled",
        "takes cosines of queries and keys for scores, without a scale",
        everywhere(
            lambda problem: replace(
                problem,
                query=_of_length_one(problem.query),
                key=_of_length_one(problem.key),
                scale=1.0 if problem.scale is None else problem.scale,
            )
        ),
        (OUTPUT, LOG_SUM_EXP),
    ),
    Changed(
        "queries-and-keys-exchanged",
        "exchanges queries and keys, where the shapes allow it",
        everywhere(_exchanged),
        (OUTPUT, LOG_SUM_EXP),
    ),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *(variant for one in _SCORES for variant in one.anywhere),
    *(variant for one in (*_AXES, *_SHIFTS, *_DENOMINATORS, *_FUNCTIONS) for variant in one.anywhere),
)
