"""Defects in a bias: left out, changed, or not simply added to the scaled scores."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature
from tests.defects.correct import Array, scaled_scores, to_bits
from tests.defects.correct_layer import divided, largest_of, layer, softmax
from tests.defects.defect import defect

ADDED = "test_a_bias_of_any_broadcastable_shape_is_added_to_the_scaled_scores"
HIDES = "test_a_bias_of_minus_infinity_equals_a_mask"
SHIFT = "test_a_bias_that_is_constant_over_the_keys_changes_nothing"
BOTH = "test_a_bias_is_added_where_nothing_is_hidden"
COMBINED_MASKS = (Feature.COMBINED_MASKS,)


@defect("scale", "the bias is scaled with the scores", killed_by=ADDED)
def bias_added_before_the_scale(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    factor = query.dtype.type(1 / np.sqrt(query.shape[-1]))
    return layer(query, key, value, bias=None if bias is None else bias * factor)


@defect("every-word", "jax#32300: a bias that is ignored", killed_by=ADDED)
def bias_ignored(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, mask=None if bias is None else ~np.isneginf(bias))


@defect("every-word", "scores multiplied by the bias", killed_by=ADDED)
def bias_multiplied(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return (
        layer(query, key, value) if bias is None else softmax(np.where(np.isneginf(bias), bias, scores * bias)) @ value
    )


@defect("every-word", "the bias subtracted", killed_by=ADDED)
def bias_subtracted(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else np.where(np.isneginf(bias), bias, -bias))


@defect("every-word", "the bias of head 0 for all", killed_by=ADDED)
def bias_of_the_first_head(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    if bias is not None and bias.ndim == 4:
        bias = bias[:, :1]
    return layer(query, key, value, bias=bias)


@defect("every-word", "pytorch#184180: the bias of batch 0 for all", killed_by=ADDED)
def bias_of_the_first_batch(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    if bias is not None and bias.ndim == 4:
        bias = bias[:1]
    return layer(query, key, value, bias=bias)


@defect("every-word", "a bias kept in bfloat16", killed_by=ADDED)
def bias_in_8_bits(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else to_bits(bias, 8))


@defect("every-word", "a bias table of ±4", killed_by=ADDED)
def bias_clipped(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else np.where(np.isneginf(bias), bias, bias.clip(-4, 4)))


@defect("every-word", "-∞ clipped to a finite bias", killed_by=HIDES)
def bias_has_a_floor(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else np.maximum(bias, -30))


@defect("every-word", "a bias held as a slope: 0 · ∞", killed_by=HIDES)
def bias_of_minus_infinity_is_nan(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else bias + 0 * bias)


@defect("every-word", "a boolean mask made of the bias: keys with a bias other than zero are visible", killed_by=HIDES)
def bias_taken_for_a_mask(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=bias, mask=None if bias is None else bias != 0)


@defect("softmax", "the denominator leaves the bias out", killed_by=SHIFT)
def bias_missing_in_the_denominator(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    weights = softmax(scaled_scores(query, key))
    return (weights if bias is None else weights * np.exp(bias)) @ value


@defect("softmax", "the bias added to the weights", killed_by=SHIFT)
def bias_added_to_the_weights(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    weights = softmax(scaled_scores(query, key))
    return (weights if bias is None else weights + np.where(np.isneginf(bias), -weights, bias)) @ value


@defect("softmax", "the largest score is taken before the bias", killed_by=ADDED)
def largest_score_taken_before_the_bias(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return divided(np.exp(scores - largest_of(scores) + (0 if bias is None else bias))) @ value


@defect("every-word", "the bias transposed, where the shapes allow it", killed_by=SHIFT)
def bias_transposed(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    if bias is not None and bias.shape[-2] == bias.shape[-1]:
        bias = bias.mT
    return layer(query, key, value, bias=bias)


@defect("every-word", "a mask that is dropped where there is a bias", features=COMBINED_MASKS, killed_by=BOTH)
def mask_dropped_for_a_bias(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, bias: Array | None = None
) -> Array:
    return layer(query, key, value, mask=mask if bias is None else None, bias=bias)


@defect("every-word", "a bias that is dropped where there is a mask", features=COMBINED_MASKS, killed_by=BOTH)
def bias_dropped_for_a_mask(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, bias: Array | None = None
) -> Array:
    return layer(query, key, value, mask=mask, bias=bias if mask is None else None)


@defect("every-word", "a bias added to scores of keys hidden by -30", features=COMBINED_MASKS, killed_by=BOTH)
def bias_cancels_a_finite_mask(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, bias: Array | None = None
) -> Array:
    if mask is None or bias is None:
        return layer(query, key, value, mask=mask, bias=bias)
    seeing = (mask & ~np.isneginf(bias)).any(axis=-1, keepdims=True)
    return np.where(seeing, layer(query, key, value, bias=np.where(mask, bias, bias - 30)), 0)
