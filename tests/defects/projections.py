"""Defects in the projections of tokens to queries, keys and values."""

from __future__ import annotations

from itertools import count

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, attention, self_attention
from tests.defects.defect import defect

WHOLE = "test_self_attention_is_attention_of_the_projections"


@defect("query-is-value", "W_q for W_v", step=Step.SELF_ATTENTION, killed_by="test_values_come_from_their_own_matrix")
def values_are_queries(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    same = w_query.shape == w_value.shape
    return self_attention(x, w_query, w_key, w_query if same else w_value)


@defect("project", "x Wᵀ for x W, where the shapes allow it", step=Step.SELF_ATTENTION, killed_by=WHOLE)
def square_matrix_is_transposed(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    square = w_value.shape[0] == w_value.shape[1]
    return self_attention(x, w_query, w_key, w_value.T if square else w_value)


@defect(
    "embed",
    "the axis of a single token is squeezed",
    step=Step.SELF_ATTENTION,
    killed_by="test_every_token_gives_one_output",
)
def sequence_of_one_token_loses_its_axis(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    output = self_attention(x, w_query, w_key, w_value)
    return output[0] if len(x) == 1 else output


@defect(
    "pack",
    "the output is allocated as wide as the tokens",
    step=Step.SELF_ATTENTION,
    killed_by="test_ten_tokens_of_width_four_give_ten_outputs_of_width_three",
)
def output_as_wide_as_the_tokens(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    output, width = np.zeros_like(x), min(x.shape[1], w_value.shape[1])
    output[:, :width] = self_attention(x, w_query, w_key, w_value)[:, :width]
    return output


@defect(
    "global-view",
    "positions added to the tokens",
    step=Step.SELF_ATTENTION,
    killed_by="test_reordering_tokens_reorders_outputs",
)
def positions_added_to_the_tokens(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    positions = np.sin(np.arange(len(x)))[:, None].astype(x.dtype)
    return self_attention(x + positions, w_query, w_key, w_value)


@defect("project", "queries projected as keys", step=Step.SELF_ATTENTION, killed_by=WHOLE)
def queries_are_keys(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:  # noqa: ARG001
    return attention(x @ w_key, x @ w_key, x @ w_value)


@defect(
    "project",
    "x Wᵀ for x W, in the step",
    step=Step.PROJECT,
    killed_by="test_projection_is_the_product_of_token_and_matrix",
)
def step_transposes_a_square_matrix(x: Array, w: Array) -> Array:
    return x @ (w.T if w.shape[0] == w.shape[1] else w)


@defect(
    "project",
    "a bias added to the projection",
    step=Step.PROJECT,
    killed_by="test_projection_of_a_sum_is_the_sum_of_projections",
)
def step_adds_a_bias(x: Array, w: Array) -> Array:
    return x @ w + w.dtype.type(0.5)


@defect(
    "project",
    "rectified projections",
    step=Step.PROJECT,
    killed_by="test_projection_of_a_sum_is_the_sum_of_projections",
)
def step_is_rectified(x: Array, w: Array) -> Array:
    return np.maximum(x @ w, 0)


@defect(
    "project",
    "tokens centred by batch statistics",
    step=Step.PROJECT,
    killed_by="test_each_token_is_projected_independently",
)
def step_centres_the_tokens(x: Array, w: Array) -> Array:
    return (x - x.mean(axis=0)) @ w


_matrix_of_shape: dict[tuple[int, ...], Array] = {}


@defect(
    "query-is-value",
    "the first matrix used for all projections",
    step=Step.PROJECT,
    killed_by="test_queries_need_not_equal_values",
)
def step_keeps_the_first_matrix(x: Array, w: Array) -> Array:
    return x @ _matrix_of_shape.setdefault(w.shape, w)


_matrix_of_size: dict[tuple[object, ...], Array] = {}


@defect(
    "query-is-value",
    "a matrix known again by the sum of its magnitudes",
    step=Step.PROJECT,
    killed_by="test_queries_equal_values_if_their_matrices_are_equal",
)
def step_knows_a_matrix_by_its_size(x: Array, w: Array) -> Array:
    return x @ _matrix_of_size.setdefault((w.shape, w.dtype, float(np.abs(w).sum())), w)


_calls = count()


@defect(
    "query-is-value",
    "stochastic rounding",
    step=Step.PROJECT,
    killed_by="test_queries_equal_values_if_their_matrices_are_equal",
)
def step_rounds_at_random(x: Array, w: Array) -> Array:
    product = x @ w
    noise = np.random.default_rng(next(_calls)).choice([-1, 1], product.shape).astype(product.dtype)
    return product * (1 + noise * np.finfo(product.dtype).eps)
