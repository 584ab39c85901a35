"""Defects in the scale: not 1/√d_k with the width of the keys, or not the explicit scale."""

from __future__ import annotations

import math

import numpy as np

from attention_tests import Precision, Step
from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.defect import defect


@defect(
    "omitted-scale",
    "the document's own slip in §3.2",
    killed_by="test_attention_without_the_scale_differs_from_the_vector_path",
)
def scale_left_out(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=1.0)


@defect(
    "stable-gradients", "mlc-llm#3426: scores that are not scaled", killed_by="test_scaled_softmax_keeps_its_gradient"
)
def scale_is_the_fourth_root(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=key.shape[-1] ** -0.25)


@defect("scale", "d_k for √d_k", killed_by="test_vector_path_agrees_with_matrix_path")
def scale_is_one_over_the_width(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=1 / key.shape[-1] if scale is None else scale)


@defect(
    "scale",
    "scores divided by the scale",
    killed_by="test_default_scale_is_one_over_the_square_root_of_the_key_width",
)
def scale_divides(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=1 / scale if scale else scale)


@defect(
    "scale",
    "the entropy-invariant scale in place of the plain one",
    killed_by="test_repeating_every_key_with_its_value_changes_nothing",
)
def scale_grows_with_the_length(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=math.log(key.shape[-2] + 1) / math.sqrt(key.shape[-1]))


@defect("scale", "d_v for d_k", killed_by="test_wider_values_do_not_change_the_scale")
def scale_of_the_value_width(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=1 / math.sqrt(value.shape[-1]))


@defect(
    "scale",
    "d_model for d_k",
    step=Step.SELF_ATTENTION,
    killed_by="test_self_attention_is_attention_of_the_projections",
)
def scale_of_the_token_width(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    return attention(x @ w_query, x @ w_key, x @ w_value, scale=1 / math.sqrt(x.shape[-1]))


@defect("scale", "a constant that was typed instead of computed", killed_by="test_tiny_outputs_are_relatively_accurate")
def scale_off_by_a_thousandth(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=1.001 / math.sqrt(key.shape[-1]))


@defect("scale", "a scale of 0 taken as absent", killed_by="test_scale_of_zero_weighs_all_keys_equally")
def scale_of_zero_is_the_default(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=scale or None)


@defect("scale", "jax#32300: an explicit scale is ignored", killed_by="test_scale_can_be_folded_into_the_query")
def scale_ignored(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:  # noqa: ARG001
    return attention(query, key, value)


@defect("scale", "√scale on query and key, the sign lost", killed_by="test_every_scale_is_used")
def scale_without_its_sign(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=None if scale is None else abs(scale))


@defect("scale", "the scale applied to the query and to the key", killed_by="test_scale_can_be_folded_into_the_query")
def scale_applied_twice(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=None if scale is None else scale * scale)


_compiled: dict[tuple[int, ...], float | None] = {}


@defect("scale", "pytorch#184122: the scale of the first call is kept", killed_by="test_every_scale_is_used")
def scale_compiled_in(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return attention(query, key, value, scale=_compiled.setdefault((*query.shape, *key.shape), scale))


@defect(
    "scale",
    "metal-flash-attention#8: overflow before the scale",
    dtypes={"float16": Precision.upcast()},
    killed_by="test_large_inputs_do_not_overflow_before_the_scale",
)
def scale_applied_after_the_overflow(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query.astype(np.float32), key.astype(np.float32), scale=1.0)
    scores = np.where(np.abs(scores) > np.finfo(np.float16).max, np.sign(scores) * np.inf, scores)
    return (softmax(scores / math.sqrt(key.shape[-1])) @ value.astype(np.float32)).astype(np.float16)


@defect(
    "scale",
    "d_k for √d_k, in the step",
    step=Step.SCALE,
    killed_by="test_scores_are_divided_by_the_square_root_of_the_key_width",
)
def step_divides_by_the_width(scores: Array, d_k: int) -> Array:
    return scores / d_k


@defect(
    "stable-gradients",
    "only one of the two factors is scaled",
    step=Step.SCALE,
    killed_by="test_scaled_scores_keep_unit_variance",
)
def step_divides_by_the_fourth_root(scores: Array, d_k: int) -> Array:
    return scores / d_k**0.25


@defect("scale", "√n for √d_k", step=Step.SCALE, killed_by="test_steps_compose_to_attention")
def step_divides_by_the_length(scores: Array, d_k: int) -> Array:  # noqa: ARG001
    return scores / math.sqrt(scores.shape[-1])
