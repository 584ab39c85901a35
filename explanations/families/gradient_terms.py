"""Gradients with a term or a factor missing: δ, the weights, the slope of a soft cap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Explanation
from explanations.formula import Backpropagated, Formula
from explanations.rounded import Rounded
from explanations.steps import BackwardPass

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
OfScores = Callable[[BackwardPass], Rounded]
QUERY_AND_KEY = ("query", "key")


def _of_d_scores(d_scores: OfScores) -> Formula:
    """Return gradients that follow from wrong ones of the logits."""
    return lambda backward: backward.of_scores(
        backward.through_cap(d_scores(backward), backward.slope), backward.weights
    )


def _less(backward: BackwardPass, delta: Rounded) -> Rounded:
    return backward.weights * (backward.d_weights - delta)


def _without_delta(backward: BackwardPass) -> Rounded:
    return backward.weights * backward.d_weights


def _of_identity(backward: BackwardPass) -> Rounded:
    return backward.d_weights.where(backward.seen)


def _of_identity_where_weighed(backward: BackwardPass) -> Rounded:
    least, weights = backward.roundings.accumulate.smallest_subnormal, backward.weights
    computed = backward.d_weights.where(backward.seen & (weights.value > least / 4))
    vanishes = backward.seen & (weights.value < 4 * least) & (weights.value > least / 16)
    return replace(computed, error=np.where(vanishes, np.inf, computed.error))


def _centred_identity(backward: BackwardPass) -> Rounded:
    return (backward.d_weights - backward.delta(backward.weights)).where(backward.seen)


def _over_queries(backward: BackwardPass) -> Rounded:
    return _less(backward, (backward.weights * backward.d_weights).summed(-2))


def _plain_sum(backward: BackwardPass) -> Rounded:
    return _less(backward, backward.d_weights.where(backward.seen).summed(-1))


def _plain_mean(backward: BackwardPass) -> Rounded:
    count = np.maximum(backward.seen.sum(-1, keepdims=True), 1)
    return _less(backward, backward.d_weights.where(backward.seen).summed(-1).times(1 / count))


def _delta_added(backward: BackwardPass) -> Rounded:
    return backward.weights * (backward.d_weights + backward.delta(backward.weights))


def _delta_not_weighed(backward: BackwardPass) -> Rounded:
    return (backward.weights * backward.d_weights - backward.delta(backward.weights)).where(backward.seen)


def _as_sigmoid(backward: BackwardPass) -> Rounded:
    """Return P (1 - P) dP: the diagonal of the derivative alone."""
    rest = backward.weights.times(-1.0).plus(1.0)
    return backward.weights * rest * backward.d_weights


def _with_slope(slope: Callable[[BackwardPass], Rounded | None]) -> Formula:
    """Return gradients with another slope of the soft cap."""

    def formula(backward: BackwardPass) -> Sequence[Rounded]:
        d_scores = backward.d_scores(backward.weights)
        return backward.of_scores(backward.through_cap(d_scores, slope(backward)), backward.weights)

    return formula


def _twice(backward: BackwardPass) -> Rounded | None:
    return None if backward.slope is None else backward.slope * backward.slope


def _not_squared(backward: BackwardPass) -> Rounded | None:
    cap = backward.problem.softcap
    return None if cap is None else backward.scaled.at(lambda scores: 1 - np.tanh(scores / cap))


def _times_cap(backward: BackwardPass) -> Rounded | None:
    return None if backward.slope is None else backward.slope.times(float(backward.problem.softcap or 1))


def _over_cap(backward: BackwardPass) -> Rounded | None:
    return None if backward.slope is None else backward.slope.times(1 / float(backward.problem.softcap or 1))


def _overflowing(backward: BackwardPass) -> Rounded | None:
    """Return 4 e²ˣ / (1 + e²ˣ)², no number where the exponential or its square overflows."""
    cap, slope = backward.problem.softcap, backward.slope
    if cap is None or slope is None:
        return None
    power = backward.scaled.times(2 / cap).exp()
    one_more = power.plus(1.0)
    return power.times(4.0) / (one_more * one_more)


_D_SCORES = (
    ("without-delta", "leaves δ out of the gradients of the scores: P dP in place of P (dP - δ)", _without_delta),
    (
        "softmax-as-identity",
        "takes the softmax for the identity on the way back: dP in place of P (dP - δ)",
        _of_identity,
    ),
    (
        "softmax-as-identity-where-weighed",
        "takes the softmax for the identity on the way back: dP in place of P (dP - δ)",
        _of_identity_where_weighed,
    ),
    (
        "centred-identity",
        "leaves the weights out of the gradients of the scores: dP - δ for P (dP - δ)",
        _centred_identity,
    ),
    ("delta-over-queries", "sums δ over the queries in place of the keys", _over_queries),
    ("delta-not-weighed", "sums δ without the weights: Σ dP in place of Σ P dP", _plain_sum),
    ("delta-is-mean", "takes the plain mean of dP for δ, in place of Σ P dP", _plain_mean),
    ("delta-added", "adds δ in place of subtracting it", _delta_added),
    ("delta-outside", "subtracts δ after the weights: P dP - δ in place of P (dP - δ)", _delta_not_weighed),
    ("diagonal-alone", "takes the derivative of each weight by its own score alone: P (1 - P) dP", _as_sigmoid),
)
_SLOPES = (
    ("left-out", "leaves the slope of the soft cap out of the gradients", lambda _: None),
    ("of-capped-scores", "takes the slope of the soft cap at scores that are capped", lambda b: b.slope_at(b.capped)),
    ("of-biased-scores", "takes the slope of the soft cap after the bias", lambda b: b.slope_at(b.scaled.plus(b.bias))),
    ("of-logits", "takes the slope of the soft cap at capped scores with the bias", lambda b: b.slope_at(b.logits)),
    ("of-raw-scores", "takes the slope of the soft cap at scores that are not scaled", lambda b: b.slope_at(b.raw)),
    (
        "of-default-scale",
        "takes the slope of the soft cap at scores that are scaled by 1/√d_k, not by the scale that is given",
        lambda b: b.slope_at(b.raw.times(b.problem.d_k**-0.5)),
    ),
    ("twice", "multiplies by the slope of the soft cap twice", _twice),
    ("not-squared", "takes 1 - tanh in place of 1 - tanh² for the slope of the soft cap", _not_squared),
    ("times-cap", "multiplies the slope of the soft cap by the cap", _times_cap),
    ("over-cap", "divides the slope of the soft cap by the cap", _over_cap),
    ("overflows", "computes the slope of the soft cap from exponentials that overflow", _overflowing),
)
EXPLANATIONS: tuple[Explanation, ...] = (
    *(
        Backpropagated(f"{name}{where}", f"{says}{of}", _of_d_scores(d_scores), gradients)
        for name, says, d_scores in _D_SCORES
        for where, of, gradients in (
            ("", "", QUERY_AND_KEY),
            ("-of-query", ", for the gradient of the query alone", ("query",)),
            ("-of-key", ", for the gradient of the key alone", ("key",)),
        )
    ),
    *(
        Backpropagated(f"slope-{name}{where}", f"{says}{of}", _with_slope(slope), gradients)
        for name, says, slope in _SLOPES
        for where, of, gradients in (
            ("", "", QUERY_AND_KEY),
            ("-of-query", ", in the gradient of the query alone", ("query",)),
            ("-of-key", ", in the gradient of the key alone", ("key",)),
        )
    ),
)
