"""Defects in arithmetic: the right formula in less precision than declared."""

from __future__ import annotations

import numpy as np

from attention_tests import Precision
from tests.defects.correct import Array, attention, normalised, scaled_scores, softmax, to_bits
from tests.defects.defect import defect

BFLOAT16, FLOAT16, TF32 = 8, 11, 11
INSIDE_BOUND = "test_every_element_is_inside_the_derived_bound"
TINY_OUTPUTS = "test_tiny_outputs_are_relatively_accurate"


def _exponentials(query: Array, key: Array) -> Array:
    scores = scaled_scores(query, key)
    return np.exp(scores - scores.max(axis=-1, keepdims=True))


@defect("matrix", "computed in float32", dtypes={"float64": Precision.float64()}, killed_by=INSIDE_BOUND)
def float64_in_float32(query: Array, key: Array, value: Array) -> Array:
    narrow = [array.astype(np.float32) for array in (query, key, value)]
    return attention(*narrow).astype(query.dtype)


@defect("softmax", "weights in bfloat16", killed_by=TINY_OUTPUTS)
def weights_in_bfloat16(query: Array, key: Array, value: Array) -> Array:
    return to_bits(softmax(scaled_scores(query, key)), BFLOAT16) @ value


@defect("softmax", "the sum of the weights in bfloat16", killed_by="test_weights_of_a_query_sum_to_one")
def total_in_bfloat16(query: Array, key: Array, value: Array) -> Array:
    exponentials = _exponentials(query, key)
    return exponentials / to_bits(exponentials.sum(axis=-1, keepdims=True), BFLOAT16) @ value


@defect("score", "dot products summed in float16", killed_by=TINY_OUTPUTS)
def scores_summed_in_float16(query: Array, key: Array, value: Array) -> Array:
    scores = np.zeros_like(query @ key.mT)
    for i in range(key.shape[-1]):
        scores = to_bits(scores + query[..., i, None] * key[..., None, :, i], FLOAT16)
    return softmax(scores / np.sqrt(key.shape[-1]).astype(key.dtype)) @ value


@defect("sum", "weighted values summed in float16", killed_by=INSIDE_BOUND)
def values_summed_in_float16(query: Array, key: Array, value: Array) -> Array:
    weights = softmax(scaled_scores(query, key))
    output = np.zeros_like(weights @ value)
    for j in range(key.shape[-2]):
        output = to_bits(output + weights[..., j, None] * value[..., None, j, :], FLOAT16)
    return output


@defect("score", "tf32 though float32 was promised", killed_by=TINY_OUTPUTS)
def inputs_in_tf32(query: Array, key: Array, value: Array) -> Array:
    return attention(*(to_bits(array, TF32) for array in (query, key, value)))


@defect("matrix", "the output passes through bfloat16", killed_by=INSIDE_BOUND)
def output_through_bfloat16(query: Array, key: Array, value: Array) -> Array:
    return to_bits(attention(query, key, value), BFLOAT16)


@defect("softmax", "exp off by 1e-4", killed_by=TINY_OUTPUTS)
def exp_off_by_a_ten_thousandth(query: Array, key: Array, value: Array) -> Array:
    exponentials = _exponentials(query, key)
    return normalised(np.where(exponentials < 1, exponentials * exponentials.dtype.type(1.0001), 1)) @ value


@defect("softmax", "small weights flushed to zero", killed_by=TINY_OUTPUTS)
def small_weights_are_zero(query: Array, key: Array, value: Array) -> Array:
    weights = softmax(scaled_scores(query, key))
    return np.where(weights < 2.0**-24, 0, weights) @ value
