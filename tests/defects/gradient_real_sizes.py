"""Defects in gradients of many keys, of wide heads with options, of grouped heads with two, and of large grids."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from attention_tests import Feature, Step
from tests.defects.addresses import dense, read, strides_of
from tests.defects.correct import Array
from tests.defects.correct_gradient import Gradients, gradient
from tests.defects.defect import defect

FEW = "test_gradients_of_a_few_keys_among_many_are_right"
WIDTHS = "test_gradients_are_right_for_each_width_with_each_option"
PLACES = "test_gradients_are_right_for_each_width_wherever_the_inputs_lie_in_memory"
GROUPS = "test_any_two_other_options_apply_to_the_gradients_of_grouped_heads"
GRID = "test_there_may_be_more_gradients_than_16_bits_count"
MASK = "test_a_mask_of_a_backward_pass_may_lie_anywhere_in_memory"
BIAS = "test_a_bias_of_a_backward_pass_may_lie_anywhere_in_memory"

planted = partial(defect, "every-word", step=Step.GRADIENT)


@planted("no gradient of keys beyond 12,288", killed_by=FEW)
def key_gradient_of_12_288_keys(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    d_key[..., 12288:, :] = 0
    return d_query, d_key, d_value


@planted("the last key before a tile's edge gets the gradient of its neighbour", killed_by=FEW)
def key_gradient_at_the_edge_of_a_tile(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    if key.shape[-2] > 256:
        d_key[..., 255, :] = d_key[..., 254, :]
    return d_query, d_key, d_value


@planted("a window drops the last key beyond whole tiles of 16", killed_by=FEW)
def key_gradient_without_the_tail_under_a_window(
    query: Array, key: Array, value: Array, upstream: Array, *, window: int | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, window=window)
    if window is not None and key.shape[-2] > 64 and key.shape[-2] % 16:
        d_key[..., -1, :] = 0
    return d_query, d_key, d_value


@planted("queries of the second tile get no gradient of the fifth tile of keys", killed_by=FEW)
def query_gradient_without_a_tile(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    if query.shape[-2] > 128 and key.shape[-2] > 512:
        d_key[..., 512:, :] = 0
        d_query[..., 128:, :] = 0
    return d_query, d_key, d_value


@planted("wide keys with narrow values, causal: columns beyond the width of the values", killed_by=WIDTHS)
def causal_gradient_of_narrow_columns(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, causal=causal)
    if causal and key.shape[-1] == 192 and value.shape[-1] == 128:
        d_query[..., 128:] = 0
    return d_query, d_key, d_value


@planted("wide keys with narrow values, causal: the last value's columns beyond a tile", killed_by=WIDTHS)
def causal_gradient_of_the_last_value_cut(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, causal=causal)
    if causal and key.shape[-1] == 192 and value.shape[-1] == 128:
        d_value[..., -1, 64:] = 0
    return d_query, d_key, d_value


@planted("keys wider than 192 with gaps between rows taken as contiguous", killed_by=PLACES)
def wide_keys_with_gaps_taken_as_contiguous(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    row, column = strides_of(key)[-2:]
    has_gaps = key.shape[-1] > 192 and column == 1 and row > key.shape[-1]
    return gradient(query, read(key, dense(key)) if has_gaps else key, value, upstream)


@planted("values of width 96 stored transposed taken as contiguous", killed_by=PLACES)
def values_stored_transposed_taken_as_contiguous(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    row, column = strides_of(value)[-2:]
    is_transposed = value.shape[-1] == 96 and row == 1 and column > 1
    return gradient(query, key, read(value, dense(value)) if is_transposed else value, upstream)


@planted(
    "grouped heads and causality: a scale of zero is the default", features=(Feature.GROUPED_HEADS,), killed_by=GROUPS
)
def causal_scale_of_zero_of_groups(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False, scale: float | None = None
) -> Gradients:
    met = causal and query.shape[1] > key.shape[1]
    return gradient(query, key, value, upstream, causal=causal, scale=(scale or None) if met else scale)


@planted("a grid of 65,535 blocks of the backward pass", killed_by=GRID)
def gradients_of_a_grid_of_16_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    d_value.reshape(-1, *d_value.shape[2:])[65_535:] = 0
    return d_query, d_key, d_value


@planted("a mask read by the strides of its copy on the way back", killed_by=MASK)
def strides_of_a_mask_ignored_backward(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, mask=_as_if_dense(mask))


@planted("a bias read by the strides of its copy on the way back", killed_by=BIAS)
def strides_of_a_bias_ignored_backward(
    query: Array, key: Array, value: Array, upstream: Array, *, bias: Array | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, bias=_as_if_dense(bias))


def _as_if_dense(option: Any) -> Any:
    return None if option is None or not np.size(option) else read(option, dense(option))
