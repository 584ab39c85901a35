"""Defects in gradients at the widths of real heads, at very low scores, and over several blocks."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_gradient import Gradients, d_scores, d_weights, gradient, of_scores, through
from tests.defects.correct_layer import softmax
from tests.defects.defect import defect

WIDTHS = "test_gradients_are_right_at_the_widths_of_real_heads"
LOW = "test_gradients_are_right_where_all_scores_are_very_low"
BLOCKS = "test_gradients_over_several_blocks_are_the_same_in_every_call"

_calls = count()


@defect("matrix", "narrow values of wide heads lose a column", step=Step.GRADIENT, killed_by=WIDTHS)
def narrow_values_of_wide_heads(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if 96 <= value.shape[-1] < key.shape[-1]:
        d_query, d_key, _ = gradient(query, key, value[..., :-1], upstream[..., :-1])
        return d_query, d_key, gradient(query, key, value, upstream)[2]
    return gradient(query, key, value, upstream)


@defect("matrix", "a width of no power of two is cut to one", step=Step.GRADIENT, killed_by=WIDTHS)
def width_cut_to_a_power_of_two(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    width = key.shape[-1]
    if width > 64:
        d_query[..., 2 ** int(math.log2(width)) :] = 0
    return d_query, d_key, d_value


@defect("matrix", "a tile of 32 columns, and no second one", step=Step.GRADIENT, killed_by=WIDTHS)
def no_gradient_beyond_32_columns(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    of_query, of_key, of_value = gradient(query, key, value, upstream)
    for of in (of_query, of_key, of_value):
        of[..., 32:] = 0
    return of_query, of_key, of_value


@defect("matrix", "the tail of the keys is left out for wide heads", step=Step.GRADIENT, killed_by=WIDTHS)
def tail_of_the_keys_of_wide_heads(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    if key.shape[-1] >= 128 and key.shape[-2] > 64:
        d_key[..., key.shape[-2] // 64 * 64 :, :] = 0
    return d_query, d_key, d_value


@defect("softmax", "exp without the largest score in the backward pass", step=Step.GRADIENT, killed_by=LOW)
def exp_without_the_maximum_in_the_backward_pass(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    exponentials = np.exp(np.minimum(scaled_scores(query, key), 80))
    return through(exponentials / exponentials.sum(axis=-1, keepdims=True), query, key, value, upstream)


@defect("softmax", "a log-sum-exp that is no lower than -500", step=Step.GRADIENT, killed_by=LOW)
def log_sum_exp_with_a_floor(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    scores = scaled_scores(query, key)
    largest = scores.max(axis=-1, keepdims=True)
    log_sum_exp = largest + np.log(np.exp(scores - largest).sum(axis=-1, keepdims=True))
    return through(np.exp(scores - np.maximum(log_sum_exp, -500)), query, key, value, upstream)


@defect(
    "every-word", "flash-attention#414: blocks of keys are added in any order", step=Step.GRADIENT, killed_by=BLOCKS
)
def blocks_of_keys_added_in_any_order(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = softmax(scaled_scores(query, key))
    of = d_scores(weights, d_weights(weights, value, upstream))
    _, d_key, d_value = of_scores(of, weights, query, key, upstream)
    blocks = range(0, key.shape[-2], 128)
    d_query = np.zeros_like(query)
    for start in np.random.default_rng(next(_calls)).permutation(blocks):
        block = slice(start, start + 128)
        d_query += of[..., block] @ key[..., block, :]
    return d_query * query.dtype.type(1 / math.sqrt(key.shape[-1])), d_key, d_value
