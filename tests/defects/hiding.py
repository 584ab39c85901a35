"""Defects in hiding keys: the right ones are hidden, but not completely."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import average, divided, hidden, largest_of, softmax
from tests.defects.defect import defect

HOWEVER_LOW = "test_hidden_keys_get_zero_weight_even_if_all_visible_scores_are_very_low"
ANY_SHAPE = "test_a_mask_of_any_broadcastable_shape_is_applied"
LEFT_OUT = "test_masking_a_key_equals_leaving_it_out"
FINITE = "test_finite_numbers_in_masked_tokens_reach_no_output"
NOT_A_NUMBER = "test_nan_and_infinity_in_masked_tokens_reach_no_output"
HIDDEN_FROM_SOME = "test_a_non_finite_value_does_not_reach_queries_it_is_masked_from"
HIDDEN_BY_BIAS = "test_nan_and_infinity_in_tokens_hidden_by_a_bias_reach_no_output"
NON_FINITE = (Feature.NON_FINITE,)


def _where_something_is_seen(mask: Array | None, scores: Array, value: Array) -> Array:
    seeing = True if mask is None else mask.any(axis=-1, keepdims=True)
    return np.where(seeing, average(softmax(scores), value), 0)


def _unless(mask: Array | None, number: float, scores: Array) -> Array:
    """Return 0 for visible keys and `number` for hidden ones."""
    return np.where(True if mask is None else mask, 0, scores.dtype.type(number))


@defect("softmax", "transformers#17306: hidden keys get a score of -10000", killed_by=HOWEVER_LOW)
def hidden_by_minus_10000(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    sentinel = np.where(True if mask is None else mask, scores, scores.dtype.type(-1e4))
    return _where_something_is_seen(mask, sentinel, value)


@defect("every-word", "transformers#17306: -10000 added to hidden scores", killed_by=FINITE)
def hidden_by_adding_minus_10000(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return _where_something_is_seen(mask, scores + _unless(mask, -1e4, scores), value)


@defect("every-word", "flashinfer#4401: -1e30 added to hidden scores", killed_by=FINITE)
def hidden_by_adding_minus_1e30(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return _where_something_is_seen(mask, scores + _unless(mask, -1e30, scores), value)


@defect("every-word", "True and False added as 1 and 0", killed_by=LEFT_OUT)
def mask_added_as_a_number(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return _where_something_is_seen(mask, scores + (0 if mask is None else mask), value)


@defect("every-word", "scores multiplied by the mask", killed_by=LEFT_OUT)
def scores_multiplied_by_the_mask(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return _where_something_is_seen(mask, scores * (1 if mask is None else mask), value)


@defect("softmax", "masked after the softmax: hidden keys stay in the denominator", killed_by=LEFT_OUT)
def masked_keys_in_the_denominator(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return softmax(scaled_scores(query, key)) * (1 if mask is None else mask) @ value


@defect("softmax", "masked after the softmax, and normalised again", killed_by=FINITE)
def weights_divided_again(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return divided(softmax(scaled_scores(query, key)) * (1 if mask is None else mask)) @ value


@defect("softmax", "flashinfer#3717: padding lanes that the mask does not cover", killed_by=LEFT_OUT)
def padding_lanes_are_seen(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = hidden(scaled_scores(query, key), mask)
    lanes = 0 if mask is None else -key.shape[-2] % 8
    return softmax(np.pad(scores, [(0, 0)] * 3 + [(0, lanes)]))[..., : key.shape[-2]] @ value


@defect("softmax", "the largest score is a hidden one", killed_by=FINITE)
def largest_score_is_hidden(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = scaled_scores(query, key)
    return divided(np.exp(hidden(scores, mask) - largest_of(scores))) @ value


@defect("softmax", "an epsilon in the denominator, against fully masked rows", killed_by=ANY_SHAPE)
def epsilon_against_empty_rows(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    scores = hidden(scaled_scores(query, key), mask)
    weights = np.exp(scores - largest_of(scores))
    total = weights.sum(axis=-1, keepdims=True)
    return weights / (total if mask is None else total + total.dtype.type(1e-3)) @ value


@defect("sum", "pytorch#101967: 0 · NaN in a hidden value", features=NON_FINITE, killed_by=NOT_A_NUMBER)
def hidden_values_weigh_zero(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return softmax(hidden(scaled_scores(query, key), mask)) @ value


@defect("sum", "flash-attention#1745: NaN is replaced, 0 · ∞ is not", features=NON_FINITE, killed_by=NOT_A_NUMBER)
def hidden_infinities_weigh_zero(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return softmax(hidden(scaled_scores(query, key), mask)) @ np.where(np.isnan(value), 0, value)


@defect("score", "-∞ added to the score of a hidden NaN", features=NON_FINITE, killed_by=NOT_A_NUMBER)
def nan_in_hidden_keys_reaches_the_scores(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    scores = scaled_scores(query, key)
    return average(softmax(scores + _unless(mask, -np.inf, scores)), value)


@defect("sum", "values cleaned only where every query hides them", features=NON_FINITE, killed_by=HIDDEN_FROM_SOME)
def values_hidden_from_some_queries_weigh_zero(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    weights = softmax(hidden(scaled_scores(query, key), mask))
    return weights @ np.where((weights > 0).any(axis=-2)[..., None], value, 0)


@defect("score", "-∞ added to a score of NaN", features=NON_FINITE, killed_by=HIDDEN_BY_BIAS)
def bias_is_added_to_a_hidden_nan(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return average(softmax(scaled_scores(query, key) + (0 if bias is None else bias)), value)
