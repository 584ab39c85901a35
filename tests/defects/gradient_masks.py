"""Defects in gradients under masks, biases, causality and windows, where the output is right."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_gradient import Gradients, gradient, through
from tests.defects.correct_layer import hidden, softmax
from tests.defects.defect import defect

HIDDEN = "test_no_gradient_flows_between_a_query_and_a_key_hidden_from_it"
FINITE = "test_finite_numbers_in_masked_tokens_reach_no_gradient"
NAN = "test_nan_and_infinity_in_masked_tokens_reach_no_gradient"
LATER = "test_no_gradient_flows_to_later_tokens"
OPTIONS = "test_gradients_respect_masks_biases_causality_and_windows"
OTHERS = "test_gradients_do_not_depend_on_other_batches_and_heads"


@defect("every-word", "the mask ignored in the backward pass", step=Step.GRADIENT, killed_by=HIDDEN)
def mask_ignored_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, mask=None if mask is None else np.ones_like(mask))


@defect("every-word", "the score of a hidden key is -20 instead of -∞", step=Step.GRADIENT, killed_by=HIDDEN)
def hidden_keys_get_a_small_gradient(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    scores = scaled_scores(query, key)
    scores = scores if mask is None else np.where(mask, scores, query.dtype.type(-20))
    return through(softmax(scores), query, key, value, upstream)


@defect("every-word", "pytorch#41508: NaN for a fully masked row", step=Step.GRADIENT, killed_by=HIDDEN)
def gradient_of_a_fully_masked_row_is_nan(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, mask=mask)
    fully_masked = np.zeros((), bool) if mask is None else ~mask.any(axis=-1, keepdims=True)
    return np.where(fully_masked, np.nan, d_query), d_key, d_value


@defect("every-word", "the sum of exponentials includes hidden keys", step=Step.GRADIENT, killed_by=FINITE)
def hidden_keys_in_the_sum_of_exponentials(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    weights = softmax(scaled_scores(query, key))
    return through(weights if mask is None else weights * mask, query, key, value, upstream)


@defect(
    "every-word",
    "pytorch#101967: zero times NaN",
    step=Step.GRADIENT,
    killed_by=NAN,
    features=(Feature.NON_FINITE,),
)
def hidden_keys_multiplied_by_zero(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, mask=mask)
    return d_query + 0 * key.sum(axis=-2, keepdims=True), d_key, d_value


@defect("every-word", "causality ignored in the backward pass", step=Step.GRADIENT, killed_by=LATER)
def causality_ignored_in_the_backward_pass(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    causal: bool = False,  # noqa: ARG001 - the defect
) -> Gradients:
    return gradient(query, key, value, upstream)


@defect(
    "every-word", "pytorch#195910: one later token is visible in the backward pass", step=Step.GRADIENT, killed_by=LATER
)
def gradient_of_one_later_token(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    seen = np.tri(query.shape[-2], key.shape[-2], 1, bool) if causal else None
    return through(softmax(hidden(scaled_scores(query, key), seen)), query, key, value, upstream)


@defect("every-word", "the bias ignored in the backward pass", step=Step.GRADIENT, killed_by=OPTIONS)
def bias_ignored_in_the_backward_pass(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    bias: Array | None = None,
) -> Gradients:
    return gradient(query, key, value, upstream, mask=None if bias is None else ~np.isneginf(bias))


@defect("every-word", "a window one wider in the backward pass", step=Step.GRADIENT, killed_by=OPTIONS)
def window_one_wider_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, window: int | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, window=None if window is None else window + 1)


@defect(
    "every-word",
    "keras#23038: causality dropped in the backward pass if a mask is given",
    step=Step.GRADIENT,
    killed_by=OPTIONS,
    features=(Feature.COMBINED_MASKS,),
)
def gradient_of_mask_or_causality(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None, causal: bool = False
) -> Gradients:
    return gradient(query, key, value, upstream, mask=mask, causal=causal and mask is None)


@defect("every-word", "the keys of the first head for all heads", step=Step.GRADIENT, killed_by=OTHERS)
def gradient_of_the_first_head(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, np.broadcast_to(d_key[:, :1], d_key.shape), d_value


@defect("every-word", "gradients of values are added up over the batch", step=Step.GRADIENT, killed_by=OTHERS)
def value_gradients_of_all_batches(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, d_key, np.broadcast_to(d_value.sum(axis=0, keepdims=True), d_value.shape)
