"""Defects in weighing and summing the values."""

from __future__ import annotations

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.defect import defect


@defect("weigh", "only the first component is weighed", killed_by="test_a_weight_multiplies_the_whole_value_vector")
def only_the_first_component_is_weighed(query: Array, key: Array, value: Array) -> Array:
    output = np.broadcast_to(value.mean(axis=-2, keepdims=True), (*query.shape[:-1], value.shape[-1])).copy()
    output[..., :1] = attention(query, key, value[..., :1])
    return output


@defect(
    "pack",
    "pytorch#176767: values wider than the keys",
    killed_by="test_output_has_a_row_per_query_as_wide_as_the_values",
)
def columns_beyond_the_keys_are_zero(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    output[..., key.shape[-1] :] = 0
    return output


@defect(
    "pack", "the axis of a single query is squeezed away", killed_by="test_a_single_query_gives_its_row_of_the_output"
)
def single_query_loses_its_axis(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    return output[..., 0, :] if query.shape[-2] == 1 else output


@defect("sum", "values cached in int8", killed_by="test_output_is_linear_in_the_values")
def values_in_8_bit(query: Array, key: Array, value: Array) -> Array:
    step = np.maximum(np.abs(value).max(axis=(-2, -1), keepdims=True), np.finfo(value.dtype).tiny) / 127
    return attention(query, key, np.rint(value / step) * step)


@defect("sum", "pytorch#124464: the factor of dropout stays on", killed_by="test_equal_values_pass_through_unchanged")
def dropout_factor_stays_on(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) / 0.9


@defect("sum", "weights that are not normalised", killed_by="test_output_lies_within_the_range_of_the_values")
def weights_not_normalised(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return np.exp(scores - scores.max(axis=-1, keepdims=True)) @ value


@defect("sum", "a residual connection inside", killed_by="test_output_lies_within_the_range_of_the_values")
def query_is_added(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    return output + query if output.shape == query.shape else output


@defect(
    "weigh",
    "weights transposed, where the shapes allow it",
    step=Step.WEIGH,
    killed_by="test_each_value_vector_is_multiplied_by_its_weight",
)
def step_transposes_square_weights(weights: Array, value: Array) -> Array:
    square = weights.shape[-2] == weights.shape[-1]
    return (weights.mT if square else weights)[..., None] * value[..., None, :, :]


@defect("sum", "mean in place of sum", step=Step.SUM, killed_by="test_weighted_values_are_summed_over_the_keys")
def step_takes_the_mean(weighted: Array) -> Array:
    return weighted.mean(axis=-2)


@defect("sum", "the softmax of an output", step=Step.SUM, killed_by="test_steps_compose_to_attention")
def step_normalises_the_output(weighted: Array) -> Array:
    return softmax(weighted.sum(axis=-2))


@defect(
    "sum",
    "nan_to_num(output), which conceals an overflow",
    killed_by="test_a_non_finite_value_reaches_every_output_that_weighs_it",
)
def non_finite_outputs_replaced(query: Array, key: Array, value: Array) -> Array:
    return np.nan_to_num(attention(query, key, value))


@defect(
    "sum",
    "NaN and ∞ left out of every sum, not only where hidden",
    killed_by="test_a_non_finite_value_reaches_every_output_that_weighs_it",
)
def non_finite_values_count_as_zero(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, np.where(np.isfinite(value), value, 0))


@defect(
    "weigh",
    "a NaN in one component makes the whole vector NaN",
    killed_by="test_a_non_finite_value_reaches_every_output_that_weighs_it",
)
def one_nan_makes_the_whole_vector_nan(query: Array, key: Array, value: Array) -> Array:
    spoilt = np.isnan(value).any(axis=-1, keepdims=True)
    return attention(query, key, np.where(spoilt, np.nan, value))
