"""Defects in gradients with a soft cap, a broadcast bias, or two options, each of which is right alone."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_gradient import (
    Gradients,
    d_scores,
    d_weights,
    gradient,
    of_each_head,
    of_scores,
    slope_of_cap,
    through,
)
from tests.defects.correct_layer import ahead, capped, seen_by, softmax
from tests.defects.defect import defect

SLOPE = "test_a_soft_cap_multiplies_the_gradients_of_the_scores_by_its_slope"
TWO = "test_any_two_options_apply_to_the_gradients_together"
SIGN = "test_a_scale_of_zero_or_below_applies_to_the_gradients_with_any_option"
BROADCAST = "test_a_bias_of_any_broadcastable_shape_counts_for_the_gradients"
GROUPED = (Feature.GROUPED_HEADS,)


@defect("scale", "no cap in the backward pass", step=Step.GRADIENT, killed_by=SLOPE)
def cap_ignored_in_the_backward_pass(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    softcap: float | None = None,  # noqa: ARG001 - the defect
) -> Gradients:
    return gradient(query, key, value, upstream)


@defect("scale", "the cap applied to the scores, its slope left out", step=Step.GRADIENT, killed_by=SLOPE)
def slope_of_the_cap_left_out(
    query: Array, key: Array, value: Array, upstream: Array, *, softcap: float | None = None
) -> Gradients:
    return through(softmax(capped(scaled_scores(query, key), softcap)), query, key, value, upstream)


@defect("scale", "1 - tanh² of the capped scores and not of the scores", step=Step.GRADIENT, killed_by=SLOPE)
def slope_of_the_capped_scores(
    query: Array, key: Array, value: Array, upstream: Array, *, softcap: float | None = None
) -> Gradients:
    return _with_slope_of(capped(scaled_scores(query, key), softcap), query, key, value, upstream, softcap=softcap)


@defect("scale", "1 / cosh² of exponentials, ∞ / ∞ for high scores", step=Step.GRADIENT, killed_by=SLOPE)
def slope_of_the_cap_overflows(
    query: Array, key: Array, value: Array, upstream: Array, *, softcap: float | None = None
) -> Gradients:
    if softcap is None:
        return gradient(query, key, value, upstream)
    scores = scaled_scores(query, key)
    weights, power = softmax(capped(scores, softcap)), np.exp(2 * scores / softcap)
    of = d_scores(weights, d_weights(weights, value, upstream)) * (4 * power / (1 + power) ** 2)
    return of_scores(of, weights, query, key, upstream)


@defect("scale", "1 - tanh² of the scores after the bias", step=Step.GRADIENT, killed_by=TWO)
def slope_of_the_biased_scores(
    query: Array, key: Array, value: Array, upstream: Array, *, bias: Array | None = None, softcap: float | None = None
) -> Gradients:
    scores = scaled_scores(query, key)
    if bias is None:
        return gradient(query, key, value, upstream, softcap=softcap)
    return _with_slope_of(scores + bias, query, key, value, upstream, bias=bias, softcap=softcap)


@defect("scale", "1 - tanh² of the scores by the default scale", step=Step.GRADIENT, killed_by=TWO)
def slope_of_scores_of_another_scale(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    scale: float | None = None,
    softcap: float | None = None,
) -> Gradients:
    return _with_slope_of(scaled_scores(query, key), query, key, value, upstream, scale=scale, softcap=softcap)


@defect("scale", "a cap that is dropped for causal attention", step=Step.GRADIENT, killed_by=TWO)
def cap_dropped_if_causal_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False, softcap: float | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, causal=causal, softcap=None if causal else softcap)


@defect(
    "every-word",
    "causal grouped heads forget the batch",
    step=Step.GRADIENT,
    features=GROUPED,
    killed_by=TWO,
)
def causal_grouped_gradients_of_the_first_batch(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, causal=causal)
    if causal and query.shape[1] > key.shape[1]:
        d_key = np.repeat(d_key[:1], len(d_key), axis=0)
    return d_query, d_key, d_value


@defect("every-word", "the first head of each group, given a mask", step=Step.GRADIENT, features=GROUPED, killed_by=TWO)
def masked_key_gradient_of_the_first_head_of_a_group(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, mask=mask)
    if mask is None:
        return d_query, d_key, d_value
    _, apart, _ = of_each_head(query, key, value, upstream, seen_by(ahead(query, key), mask=mask))
    return d_query, apart[:, :: query.shape[1] // key.shape[1]], d_value


@defect(
    "every-word", "grouped heads read the bias of the key head", step=Step.GRADIENT, features=GROUPED, killed_by=TWO
)
def bias_of_the_key_head_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, bias: Array | None = None
) -> Gradients:
    if bias is not None and bias.ndim == 4 and bias.shape[1] > key.shape[1]:
        bias = np.repeat(bias[:, : key.shape[1]], query.shape[1] // key.shape[1], axis=1)
    return gradient(query, key, value, upstream, bias=bias)


@defect(
    "every-word", "a soft cap given up for a group that is odd", step=Step.GRADIENT, features=GROUPED, killed_by=TWO
)
def cap_dropped_for_odd_groups_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, softcap: float | None = None
) -> Gradients:
    group = query.shape[1] // key.shape[1]
    return gradient(query, key, value, upstream, softcap=None if group > 1 and group % 2 else softcap)


@defect("every-word", "a window ignored for the gradient of the values", step=Step.GRADIENT, killed_by=TWO)
def window_ignored_for_the_gradient_of_the_values(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False, window: int | None = None
) -> Gradients:
    d_query, d_key, _ = gradient(query, key, value, upstream, causal=causal, window=window)
    return d_query, d_key, gradient(query, key, value, upstream, causal=causal)[2]


@defect("every-word", "causality shifted to the last key", step=Step.GRADIENT, killed_by=TWO)
def causality_shifted_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    distance = ahead(query, key)
    seen = seen_by(distance - distance[-1, -1], causal=causal)
    return of_each_head(query, key, value, upstream, seen)


@defect("scale", "the size of the scale for the keys", step=Step.GRADIENT, killed_by=SIGN)
def sign_of_the_scale_lost_for_the_keys(
    query: Array, key: Array, value: Array, upstream: Array, *, scale: float | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, scale=scale)
    return d_query, d_key if scale is None else np.copysign(1, scale).astype(d_key.dtype) * d_key, d_value


@defect(
    "scale", "a scale of zero taken as absent for grouped heads", step=Step.GRADIENT, features=GROUPED, killed_by=SIGN
)
def grouped_scale_of_zero_is_the_default(
    query: Array, key: Array, value: Array, upstream: Array, *, scale: float | None = None
) -> Gradients:
    grouped = query.shape[1] > key.shape[1]
    return gradient(query, key, value, upstream, scale=scale or None if grouped else scale)


@defect("every-word", "a bias that broadcasts is dropped", step=Step.GRADIENT, killed_by=BROADCAST)
def broadcast_bias_dropped_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, bias: Array | None = None
) -> Gradients:
    whole = (*query.shape[:-1], key.shape[-2])
    return gradient(query, key, value, upstream, bias=None if bias is None or bias.shape != whole else bias)


def _with_slope_of(
    sloping: Array,
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    bias: Array | float | None = None,
    scale: float | None = None,
    softcap: float | None = None,
) -> Gradients:
    """Return the gradients with the slope of the cap at other scores than those that are capped."""
    if softcap is None:
        return gradient(query, key, value, upstream, scale=scale, bias=bias)
    weights = softmax(capped(scaled_scores(query, key, scale), softcap) + (0 if bias is None else bias))
    of = d_scores(weights, d_weights(weights, value, upstream)) * slope_of_cap(sloping, softcap)
    return of_scores(of, weights, query, key, upstream, scale)


@defect(
    "scale",
    "with a soft cap and causality, the sign of the scale is lost",
    step=Step.GRADIENT,
    killed_by=SIGN,
)
def sign_of_the_scale_lost_with_a_cap_and_causality(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    causal: bool = False,
    softcap: float | None = None,
    scale: float | None = None,
) -> Gradients:
    if scale is not None and causal and softcap is not None:
        scale = abs(scale)
    return gradient(query, key, value, upstream, causal=causal, softcap=softcap, scale=scale)
