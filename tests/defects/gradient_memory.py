"""Defects of backward passes that are about places in memory: repeated, far, shared, and of large grids."""

from __future__ import annotations

from functools import partial

import numpy as np

from attention_tests import Step
from tests.defects.addresses import dense, in_int32, read, shares_a_buffer, strides_of
from tests.defects.correct import Array, scaled_scores, softmax
from tests.defects.correct_gradient import Gradients, d_weights, gradient, of_scores
from tests.defects.defect import defect

ANYWHERE = "test_each_input_of_a_backward_pass_may_lie_anywhere_in_memory"
REPEATED = "test_an_upstream_gradient_may_be_repeated_without_a_copy"
PACKED = "test_inputs_of_a_backward_pass_may_be_slices_of_one_buffer"
FAR = "test_offsets_of_a_backward_pass_may_be_beyond_32_bits"
GRID = "test_there_may_be_more_gradients_than_16_bits_count"

planted = partial(defect, "every-word", step=Step.GRADIENT)


@planted("an upstream gradient of one number read past it", killed_by=REPEATED)
def upstream_of_one_number_read_past_it(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    strides = [own or other for own, other in zip(strides_of(upstream), dense(upstream), strict=True)]
    return gradient(query, key, value, read(upstream, strides))


@planted("an upstream gradient that is one row for all queries counts once", killed_by=REPEATED)
def upstream_of_one_row_counts_once(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if strides_of(upstream)[2] == 0 and upstream.shape[2] > 1:
        upstream = np.where(np.arange(upstream.shape[2])[:, None] == 0, upstream, 0)
    return gradient(query, key, value, upstream)


@planted(
    "from 64 columns on, the row sums of outputs and upstream gradients take both as contiguous", killed_by=ANYWHERE
)
def row_sums_of_contiguous_upstreams(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if value.shape[-1] < 64 or query.shape[1] != key.shape[1]:
        return gradient(query, key, value, upstream)
    weights = softmax(scaled_scores(query, key))
    sums = (weights * d_weights(weights, value, read(upstream, dense(upstream)))).sum(axis=-1, keepdims=True)
    return of_scores(weights * (d_weights(weights, value, upstream) - sums), weights, query, key, upstream)


@planted("offsets of keys computed in int32", killed_by=FAR)
def backward_key_offsets_of_32_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, read(key, offsets=in_int32), value, upstream)


@planted("offsets of upstream gradients computed in int32", killed_by=FAR)
def upstream_offsets_of_32_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, key, value, read(upstream, offsets=in_int32))


@planted("of a packed buffer, the gradient of the value is written where that of the key is", killed_by=PACKED)
def packed_key_gradient_overwritten(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    written_over = shares_a_buffer(key, value) and d_key.shape == d_value.shape
    return d_query, d_value if written_over else d_key, d_value


@planted("a grid of 65,535 blocks for the gradient of the query", killed_by=GRID)
def query_gradients_of_a_grid_of_16_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return _cut(d_query), d_key, d_value


@planted("a grid of 65,535 blocks for the gradient of the key", killed_by=GRID)
def key_gradients_of_a_grid_of_16_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, _cut(d_key), d_value


def _cut(array: Array) -> Array:
    array.reshape(-1, *array.shape[2:])[65_535:] = 0
    return array
