"""Defects in the scores: not the dot products of queries and keys."""

from __future__ import annotations

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.defect import defect


@defect("score", "cosine similarity", step=Step.SCORE, killed_by="test_score_is_the_dot_product_of_query_and_key")
def step_scores_by_the_cosine(query: Array, key: Array) -> Array:
    lengths = np.linalg.norm(query, axis=-1)[..., :, None] * np.linalg.norm(key, axis=-1)[..., None, :]
    return np.divide(query @ key.mT, lengths, out=np.zeros_like(lengths), where=lengths > 0)


@defect(
    "score",
    "keys cached in fewer bits",
    step=Step.SCORE,
    killed_by="test_score_is_the_dot_product_of_query_and_key",
)
def step_scores_keys_of_16_bit(query: Array, key: Array) -> Array:
    return query @ key.astype(np.float16).astype(key.dtype).mT


@defect(
    "score",
    "an epsilon added to the query",
    killed_by="test_negating_queries_and_keys_changes_nothing",
)
def epsilon_on_the_query(query: Array, key: Array, value: Array) -> Array:
    return attention(query + query.dtype.type(1e-6), key, value)


@defect("matrix", "K Qᵀ for Q Kᵀ, where the shapes allow it", killed_by="test_vector_path_agrees_with_matrix_path")
def queries_and_keys_exchanged(query: Array, key: Array, value: Array) -> Array:
    square = query.shape[-2] == key.shape[-2]
    return attention(key, query, value) if square else attention(query, key, value)


@defect(
    "score",
    "pytorch#184180: batch and head axes confused",
    killed_by="test_outputs_do_not_depend_on_other_batches",
)
def keys_of_swapped_batch_and_head(query: Array, key: Array, value: Array) -> Array:
    square = key.shape[0] == key.shape[1]
    return attention(query, key.swapaxes(0, 1) if square else key, value)


@defect("score", "distance in place of similarity", killed_by="test_a_higher_score_never_gets_a_lower_weight")
def distance_for_similarity(query: Array, key: Array, value: Array) -> Array:
    return softmax(-scaled_scores(query, key)) @ value


@defect("score", "scores clipped for safety", killed_by="test_every_element_is_inside_the_derived_bound")
def scores_clipped_at_fifty(query: Array, key: Array, value: Array) -> Array:
    return softmax(np.clip(scaled_scores(query, key), -50, 50)) @ value


@defect("score", "soft cap left on (onnx#7865)", killed_by="test_a_dominant_score_returns_its_value")
def scores_softly_capped(query: Array, key: Array, value: Array) -> Array:
    return softmax(10 * np.tanh(scaled_scores(query, key) / 10)) @ value


@defect("score", "one scale for all queries in int8", killed_by="test_a_row_does_not_depend_on_the_other_queries")
def queries_in_8_bit(query: Array, key: Array, value: Array) -> Array:
    step = np.maximum(np.abs(query).max(axis=(-2, -1), keepdims=True), np.finfo(query.dtype).tiny) / 127
    return attention(np.rint(query / step) * step, key, value)


@defect("every-word", "-0.0 used as a marker", killed_by="test_negative_zero_counts_as_zero")
def negative_zero_is_one(query: Array, key: Array, value: Array) -> Array:
    return attention(query, np.where((key == 0) & np.signbit(key), key.dtype.type(1), key), value)
