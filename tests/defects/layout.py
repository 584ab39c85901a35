"""Defects in batches, heads and strides: a run that depends on another, or reads the wrong memory."""

from __future__ import annotations

import numpy as np

from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.defect import defect

HEADS = "test_reordering_heads_reorders_outputs_exactly"
BATCHES = "test_reordering_batches_reorders_outputs_exactly"
NEIGHBOURS = "test_outputs_do_not_depend_on_other_batches"
STRIDES = "test_strided_inputs_equal_their_copies"


@defect("every-word", "head 0 for all heads", killed_by=HEADS)
def first_head_for_all(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key[:, :1], value)


@defect("every-word", "wrong only in odd heads", killed_by=HEADS)
def odd_heads_use_the_one_before(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key[:, np.arange(key.shape[1]) // 2 * 2], value)


@defect("every-word", "onnxruntime#24017: batch 0 for all batches", killed_by=BATCHES)
def first_batch_for_all(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key[:1], value)


@defect("every-word", "values of the next batch", killed_by="test_vector_path_agrees_with_matrix_path")
def values_of_the_next_batch(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, np.roll(value, -1, axis=0))


@defect("every-word", "batches packed into one sequence, 0 · NaN", killed_by=NEIGHBOURS)
def batches_packed_into_one(query: Array, key: Array, value: Array) -> Array:
    batch, _, n_q, _ = query.shape
    query, key, value = (np.concatenate(list(array), axis=-2) for array in (query, key, value))
    own = np.kron(np.eye(batch), np.ones((n_q, key.shape[-2] // batch))) > 0
    output = softmax(np.where(own, scaled_scores(query, key), -np.inf)) @ value
    return np.stack(np.split(output, batch, axis=-2))


@defect("every-word", "one maximum for the whole batch", killed_by=NEIGHBOURS)
def largest_score_of_the_batch(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    bounded = np.minimum(scores.max(axis=-1, keepdims=True) + 16, scores.max())
    exponentials = np.exp(scores - bounded)
    return exponentials / exponentials.sum(axis=-1, keepdims=True) @ value


@defect("every-word", "pytorch#112577: strides ignored", killed_by=STRIDES)
def strides_ignored(query: Array, key: Array, value: Array) -> Array:
    return attention(*(_as_if_contiguous(array) for array in (query, key, value)))


@defect("every-word", "pytorch#187506: the sign of a stride ignored", killed_by=STRIDES)
def signs_of_strides_ignored(query: Array, key: Array, value: Array) -> Array:
    return attention(*(_in_order_of_memory(array) for array in (query, key, value)))


def _as_if_contiguous(array: Array) -> Array:
    return array if array.flags.c_contiguous or array.base is None else np.resize(array.base, array.shape)


def _in_order_of_memory(array: Array) -> Array:
    return np.flip(array, tuple(axis for axis, stride in enumerate(array.strides) if stride < 0))
