"""Defects in the side effects, dtype and memory layout of a backward pass."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np

from attention_tests import Precision, Step
from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.correct_gradient import Gradients, gradient, through
from tests.defects.defect import defect

SAME = "test_same_call_gives_the_same_gradients"
LATER_CALLS = "test_later_calls_do_not_change_earlier_gradients"
IN_BETWEEN = "test_a_forward_pass_in_between_changes_no_gradient"
DTYPE = "test_gradients_have_the_dtype_of_their_inputs"
WRITES = "test_a_backward_pass_does_not_write_to_its_inputs"
STRIDES = "test_gradients_of_strided_inputs_equal_those_of_their_copies"

_added_up: dict[bytes, Array] = {}
_workspace: dict[tuple[int, ...], Array] = {}
_last_weights: list[Array] = []
_calls = count()


@defect("every-word", "flash-attention#414: atomic additions, in any order", step=Step.GRADIENT, killed_by=SAME)
def gradient_summed_in_any_order(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    noise = np.random.default_rng(next(_calls)).uniform(-1, 1, d_query.shape).astype(query.dtype)
    return d_query * (1 + noise * np.finfo(query.dtype).eps), d_key, d_value


@defect("every-word", "gradients accumulated over calls", step=Step.GRADIENT, killed_by=SAME)
def gradient_added_up(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    same = query.tobytes() + key.tobytes() + value.tobytes() + upstream.tobytes()
    _added_up[same] = d_query + _added_up.get(same, np.zeros_like(d_query))
    return _added_up[same], d_key, d_value


@defect("every-word", "a workspace returned as the result", step=Step.GRADIENT, killed_by=LATER_CALLS)
def gradient_in_a_workspace(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    workspace = _workspace.setdefault(d_key.shape, np.empty_like(d_key))
    workspace[...] = d_key
    return d_query, workspace, d_value


@defect("every-word", "the weights of the last forward pass", step=Step.GRADIENT, killed_by=IN_BETWEEN)
def gradient_of_the_last_forward_pass(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = softmax(scaled_scores(query, key))
    if _last_weights and _last_weights[0].shape == weights.shape:
        weights = _last_weights[0]
    return through(weights, query, key, value, upstream)


def _remembered(query: Array, key: Array, value: Array) -> Array:
    _last_weights[:] = [softmax(scaled_scores(query, key))]
    return attention(query, key, value)


gradient_of_the_last_forward_pass = replace(
    gradient_of_the_last_forward_pass,
    implementation=replace(gradient_of_the_last_forward_pass.implementation, attention=_remembered),
)


@defect(
    "every-word",
    "gradients of the dtype in which they were summed",
    step=Step.GRADIENT,
    killed_by=DTYPE,
    dtypes={"float32": Precision.float32()},
)
def gradient_in_float64(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, d_key.astype(np.float64), d_value


@defect("every-word", "the upstream gradient scaled in place", step=Step.GRADIENT, killed_by=WRITES)
def upstream_scaled_in_place(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    gradients = gradient(query, key, value, upstream)
    upstream *= query.dtype.type(0.5)
    return gradients


@defect("every-word", "the query's gradient written over the query", step=Step.GRADIENT, killed_by=WRITES)
def query_gradient_in_the_query(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    query[...] = d_query
    return query, d_key, d_value


@defect("every-word", "the strides of the upstream gradient ignored", step=Step.GRADIENT, killed_by=STRIDES)
def upstream_strides_ignored(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if upstream.base is not None and not upstream.flags.c_contiguous:
        upstream = np.resize(upstream.base, upstream.shape)
    return gradient(query, key, value, upstream)
