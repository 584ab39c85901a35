"""The softmax: of other scores, over another axis, or with another function than exp."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import LOG_SUM_EXP, OUTPUT
from explanations.explanation import Changed, Explanation, everywhere
from explanations.formula import Weighed, Weights
from explanations.rounded import Rounded
from explanations.steps import Forward
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
    *(variant for one in (*_AXES, *_FUNCTIONS) for variant in one.anywhere),
)
