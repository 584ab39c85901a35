"""Defects in fully masked rows, and in blocks of keys that are hidden from a query as a whole."""

from __future__ import annotations

import numpy as np

from attention_tests import Dialect, FullyMasked
from tests.defects import correct
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import State, absorbed, hidden, layer, log_sum_exp, online_layer, softmax
from tests.defects.defect import defect

FULLY_MASKED_ROW = "test_a_fully_masked_row_is_what_the_dialect_declares"
ANY_SHAPE = "test_a_mask_of_any_broadcastable_shape_is_applied"
LEFT_OUT = "test_masking_a_key_equals_leaving_it_out"


@defect("softmax", "pytorch#103963: 0 / 0", killed_by=FULLY_MASKED_ROW)
def fully_masked_row_is_nan(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return correct.softmax(hidden(scaled_scores(query, key), mask)) @ value


@defect("softmax", "flashinfer#4401: hidden keys share a score of -1e30", killed_by=FULLY_MASKED_ROW)
def fully_masked_row_is_the_mean(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return softmax(np.maximum(hidden(scaled_scores(query, key), mask), -1e30)) @ value


@defect("every-word", "fully masked rows are unmasked, as some kernels need it", killed_by=FULLY_MASKED_ROW)
def fully_masked_row_is_unmasked(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return layer(query, key, value, mask=None if mask is None else mask | ~mask.any(axis=-1, keepdims=True))


@defect("every-word", "a fully masked row is skipped, and its output not written", killed_by=FULLY_MASKED_ROW)
def fully_masked_row_repeats_the_row_before(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    output = layer(query, key, value, mask=mask)
    seeing = True if mask is None else mask.any(axis=-1, keepdims=True)
    return np.where(seeing, output, np.roll(output, 1, axis=-2))


@defect(
    "softmax",
    "openvino#36016: zeros where NaN is declared",
    dialect=Dialect(fully_masked=FullyMasked.NAN),
    killed_by=FULLY_MASKED_ROW,
)
def fully_masked_row_is_zeros(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return layer(query, key, value, mask=mask)


@defect(
    "softmax",
    "a mean with padding lanes, where the mean is declared",
    dialect=Dialect(fully_masked=FullyMasked.MEAN),
    killed_by=FULLY_MASKED_ROW,
)
def fully_masked_row_averages_padding_too(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    output, padded = layer(query, key, value, mask=mask), -(-key.shape[-2] // 8) * 8
    seeing = True if mask is None else mask.any(axis=-1, keepdims=True)
    return np.where(seeing, output, value.sum(axis=-2, keepdims=True) / padded)


@defect("softmax", "flashinfer#4401: -∞ − -∞ where a whole block is hidden", killed_by=ANY_SHAPE)
def hidden_block_rescaled_by_nan(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return online_layer(query, key, value, mask=mask, absorb=correct.absorbed)


@defect("softmax", "the largest score of a hidden block replaces the one before", killed_by=LEFT_OUT)
def hidden_block_resets_the_largest_score(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        largest, total, output = absorbed(state, scores, value)
        return np.where(np.isneginf(scores).all(axis=-1, keepdims=True), -np.inf, largest), total, output

    return online_layer(query, key, value, mask=mask, absorb=absorb)


@defect("softmax", "flash-attention#2842: a fully masked part makes everything NaN", killed_by=LEFT_OUT)
def fully_masked_part_has_a_sum_of_nan(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return _in_two_parts(query, key, value, mask, sum_of_nothing=np.nan)


@defect("softmax", "pytorch#134650: a fully masked part has a weight of one", killed_by=LEFT_OUT)
def fully_masked_part_weighs_one(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return _in_two_parts(query, key, value, mask, sum_of_nothing=0.0)


def _in_two_parts(query: Array, key: Array, value: Array, mask: Array | None, *, sum_of_nothing: float) -> Array:
    if mask is None:
        return layer(query, key, value)
    scores, half = hidden(scaled_scores(query, key), mask), key.shape[-2] // 2
    parts = [(scores[..., words], value[..., words, :]) for words in (slice(half), slice(half, None))]
    sums = np.stack([log_sum_exp(scores) for scores, _ in parts], axis=-1)
    shares = softmax(np.where(np.isneginf(sums), sums.dtype.type(sum_of_nothing), sums))
    seeing = mask.any(axis=-1, keepdims=True)
    output = sum(shares[..., i, None] * (softmax(scores) @ value) for i, (scores, value) in enumerate(parts))
    return np.where(seeing, output, 0)
