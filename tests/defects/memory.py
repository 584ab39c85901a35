"""Defects in addresses: rows that are read from where they would lie if they lay otherwise."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects.addresses import begins, dense, in_int32, read, shares_a_buffer, strides_of
from tests.defects.correct import Array, attention
from tests.defects.correct_gradient import Gradients, gradient
from tests.defects.correct_layer import for_each_query_head, layer
from tests.defects.defect import defect

ALONE = "test_each_input_may_lie_anywhere_in_memory"
REPEATED = "test_an_input_may_be_repeated_without_a_copy"
PACKED = "test_query_key_and_value_may_be_slices_of_one_buffer"
GROUPED = "test_keys_and_values_of_grouped_heads_may_lie_anywhere_in_memory"
WIDE = "test_wide_inputs_may_lie_anywhere_in_memory"
MASK = "test_a_mask_may_lie_anywhere_in_memory"
BIAS = "test_a_bias_may_lie_anywhere_in_memory"
FAR_MASK = "test_offsets_of_a_mask_may_be_beyond_32_bits"
FAR_BIAS = "test_offsets_of_a_bias_may_be_beyond_32_bits"
FAR = "test_offsets_may_be_beyond_32_bits"
GRID = "test_there_may_be_more_batches_and_heads_than_16_bits_count"
BACKWARD = "test_each_input_of_a_backward_pass_may_lie_anywhere_in_memory"


def _is_blhd(array: Array) -> bool:
    _, of_heads, of_rows, _ = strides_of(array)
    return of_heads < of_rows and array.shape[1] > 1


@defect("every-word", "BLHD storage seen as BHLD is read as if contiguous", killed_by=ALONE)
def blhd_storage_read_as_contiguous(query: Array, key: Array, value: Array) -> Array:
    return attention(*(read(array, dense(array)) if _is_blhd(array) else array for array in (query, key, value)))


@defect("every-word", "one set of strides for key and value", killed_by=ALONE)
def value_read_by_the_strides_of_the_key(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, read(value, strides_of(key)) if key.shape == value.shape else value)


@defect("every-word", "the batch stride computed as heads · length · width", killed_by=ALONE)
def key_batches_as_far_apart_as_they_are_large(query: Array, key: Array, value: Array) -> Array:
    (of_batches, *_), (_, *others) = dense(key), strides_of(key)
    return attention(query, read(key, [of_batches, *others]) if others[1:] == dense(key)[2:] else key, value)


@defect("every-word", "the row stride taken as the width", killed_by=ALONE)
def value_rows_as_far_apart_as_they_are_wide(query: Array, key: Array, value: Array) -> Array:
    of_batches, of_heads, _, of_columns = strides_of(value)
    return attention(query, key, read(value, [of_batches, of_heads, value.shape[-1], of_columns]))


@defect("every-word", "the transposed view of the key read as the key", killed_by=ALONE)
def transposed_key_read_as_the_key(query: Array, key: Array, value: Array) -> Array:
    _, _, of_rows, of_columns = strides_of(key)
    return attention(query, read(key, dense(key)) if of_rows < of_columns else key, value)


@defect("every-word", "vector loads from the aligned address below", killed_by=ALONE)
def value_read_from_the_aligned_address(query: Array, key: Array, value: Array) -> Array:
    back = value.ctypes.data % 16 // value.itemsize
    return attention(query, key, read(value, strides_of(value), begins(value) - back))


@defect("every-word", "a stride of 0 taken as contiguous", killed_by=REPEATED)
def stride_of_zero_taken_as_contiguous(query: Array, key: Array, value: Array) -> Array:
    strides = [own or other for own, other in zip(strides_of(value), dense(value), strict=True)]
    return attention(query, key, read(value, strides))


@defect("every-word", "the value of a packed buffer read from the key's offset", killed_by=PACKED)
def packed_value_read_from_the_key(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, read(value, begin=begins(key)) if shares_a_buffer(key, value) else value)


@defect(
    "every-word",
    "a packed buffer cut into thirds, where the query has more heads",
    features=[Feature.GROUPED_HEADS],
    killed_by=PACKED,
)
def packed_buffer_cut_into_thirds(query: Array, key: Array, value: Array) -> Array:
    if shares_a_buffer(query, key) and query.shape[1] != key.shape[1]:
        key = read(key, begin=begins(query) + key.shape[1] * key.shape[-1])
    return attention(query, *(for_each_query_head(array, query) for array in (key, value)))


@defect(
    "every-word", "key heads of a group stepped as if contiguous", features=[Feature.GROUPED_HEADS], killed_by=GROUPED
)
def grouped_heads_as_far_apart_as_they_are_large(query: Array, key: Array, value: Array) -> Array:
    if query.shape[1] != key.shape[1]:
        of_batches, _, *others = strides_of(value)
        value = read(value, [of_batches, dense(value)[1], *others])
    return attention(query, *(for_each_query_head(array, query) for array in (key, value)))


@defect("every-word", "a fast path from a width of 64 on, for adjacent rows", killed_by=WIDE)
def wide_rows_taken_as_adjacent(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    if key.shape[-1] >= 64 and causal:
        of_batches, of_heads, _, of_columns = strides_of(key)
        key = read(key, [of_batches, of_heads, key.shape[-1], of_columns])
    return layer(query, key, value, causal=causal)


@defect("every-word", "a mask's strides ignored", killed_by=MASK)
def strides_of_a_mask_ignored(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return layer(query, key, value, mask=None if mask is None else read(mask, dense(mask)))


@defect("every-word", "a bias read by the strides of its copy", killed_by=BIAS)
def strides_of_a_bias_ignored(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else read(bias, dense(bias)))


@defect("every-word", "offsets computed in int32", killed_by=FAR)
def offsets_of_32_bits(query: Array, key: Array, value: Array) -> Array:
    return attention(*(read(array, offsets=in_int32) for array in (query, key, value)))


@defect("every-word", "offsets of a mask computed in int32", killed_by=FAR_MASK)
def mask_offsets_of_32_bits(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return layer(query, key, value, mask=None if mask is None else read(mask, offsets=in_int32))


@defect("every-word", "offsets of a bias computed in int32", killed_by=FAR_BIAS)
def bias_offsets_of_32_bits(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    return layer(query, key, value, bias=None if bias is None else read(bias, offsets=in_int32))


@defect("every-word", "offsets of keys computed in uint32", killed_by=FAR)
def key_offsets_of_unsigned_32_bits(query: Array, key: Array, value: Array) -> Array:
    return attention(query, read(key, offsets=lambda offsets: offsets % 2**32), value)


@defect("every-word", "a grid of 65,535 blocks", killed_by=GRID)
def grid_of_16_bits(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    output.reshape(-1, *output.shape[2:])[65_535:] = 0
    return output


@defect("every-word", "batch and head counted together in 16 bits", killed_by=GRID)
def heads_counted_in_16_bits(query: Array, key: Array, value: Array) -> Array:
    runs = np.arange(key.shape[0] * key.shape[1]).astype(np.uint16).reshape(key.shape[:2])
    return attention(query, key, value.reshape(-1, *value.shape[2:])[runs])


@defect(
    "every-word", "an upstream gradient in BLHD storage taken as contiguous", step=Step.GRADIENT, killed_by=BACKWARD
)
def upstream_in_blhd_storage_taken_as_contiguous(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, key, value, read(upstream, dense(upstream)) if _is_blhd(upstream) else upstream)


@defect("every-word", "the upstream gradient read by the strides of the query", step=Step.GRADIENT, killed_by=BACKWARD)
def upstream_read_by_the_strides_of_the_query(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, key, value, read(upstream, strides_of(query)) if query.shape == upstream.shape else upstream)
