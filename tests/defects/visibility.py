"""Defects in visibility: a token that does not attend to every token, or prefers some by position."""

from __future__ import annotations

import numpy as np

from tests.defects.correct import Array, attention, scaled_scores, softmax
from tests.defects.defect import defect

EVERY_VALUE = "test_every_value_reaches_every_output"


def _positions(scores: Array) -> tuple[Array, Array]:
    return np.arange(scores.shape[-2])[:, None], np.arange(scores.shape[-1])


def _attention_where(visible: Array, scores: Array, value: Array) -> Array:
    return softmax(np.where(visible, scores, -np.inf)) @ value


@defect("global-view", "causal without being requested", killed_by=EVERY_VALUE)
def always_causal(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    i, j = _positions(scores)
    return _attention_where(j <= i, scores, value)


@defect("global-view", "a local window (transformers#39408)", killed_by=EVERY_VALUE)
def window_of_eight(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    i, j = _positions(scores)
    n_k = scores.shape[-1]
    return _attention_where((abs(i - j) <= 8) | (i >= n_k), scores, value)


@defect("global-view", "only the keys with the highest scores count", killed_by=EVERY_VALUE)
def only_the_eight_highest_scores_kept(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    eighth = np.sort(scores, axis=-1)[..., -8:][..., :1]
    return _attention_where(scores >= eighth, scores, value)


@defect("every-word", "a range that ends too early", killed_by="test_every_element_is_inside_the_derived_bound")
def last_key_left_out(query: Array, key: Array, value: Array) -> Array:
    seen = max(key.shape[-2] - 1, 1)
    return attention(query, key[..., :seen, :], value[..., :seen, :])


@defect("every-word", "a single query takes another path", killed_by="test_a_single_query_gives_its_row_of_the_output")
def last_key_left_out_for_a_single_query(query: Array, key: Array, value: Array) -> Array:
    seen = max(key.shape[-2] - (query.shape[-2] == 1), 1)
    return attention(query, key[..., :seen, :], value[..., :seen, :])


@defect(
    "matrix-is-faster",
    "flash-decoding: parts of the keys merged without their sums",
    killed_by="test_one_call_equals_one_call_per_query",
)
def halves_averaged_for_one_query(query: Array, key: Array, value: Array) -> Array:
    if query.shape[-2] > 1 or key.shape[-2] < 64:
        return attention(query, key, value)
    halves = zip(np.array_split(key, 2, axis=-2), np.array_split(value, 2, axis=-2), strict=True)
    return np.mean([attention(query, *half) for half in halves], axis=0)


@defect("global-view", "a context of 64 tokens", killed_by="test_every_element_is_inside_the_derived_bound")
def keys_beyond_64_left_out(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key[..., :64, :], value[..., :64, :])


@defect(
    "global-view",
    "flash-attention#1500: an index overflows",
    killed_by="test_any_number_of_keys_gives_the_right_output",
)
def index_of_8_bit(query: Array, key: Array, value: Array) -> Array:
    words = np.arange(key.shape[-2]).astype(np.int8)
    return attention(query, key[..., words, :], value[..., words, :])


@defect("global-view", "a bias by distance", killed_by="test_reordering_queries_reorders_outputs")
def nearer_tokens_preferred(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    i, j = _positions(scores)
    return softmax(scores - scores.dtype.type(0.1) * abs(i - j)) @ value


@defect("global-view", "a bias by position", killed_by="test_reordering_keys_with_their_values_changes_nothing")
def later_tokens_preferred(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    _, j = _positions(scores)
    return softmax(scores + scores.dtype.type(0.01) * j) @ value


@defect("self-dominates", "the refuted claim, made true", killed_by="test_a_token_need_not_attend_most_to_itself")
def token_always_attends_most_to_itself(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    i, j = _positions(scores)
    return softmax(np.where(i == j, np.maximum(scores, scores.max(axis=-1, keepdims=True) + 1), scores)) @ value


@defect(
    "self-dominates",
    "a token hidden from itself",
    killed_by="test_a_token_attends_most_to_itself_if_queries_equal_keys_of_one_norm",
)
def token_never_attends_to_itself(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    i, j = _positions(scores)
    return _attention_where((i != j) | (scores.shape[-1] == 1), scores, value)
