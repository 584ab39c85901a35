"""Defects in grouped heads: query heads that read the wrong key heads."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array, attention
from tests.defects.correct_gradient import Gradients, gradient
from tests.defects.correct_layer import for_each_query_head, layer
from tests.defects.defect import defect

SHARED = "test_query_heads_of_a_group_share_a_key_head"
ONE_FOR_ALL = "test_one_key_head_can_serve_all_query_heads"
ASKED = "test_a_shared_key_head_receives_the_gradient_of_every_query_head"
GROUPED = (Feature.GROUPED_HEADS,)


def _heads_and_group(query: Array, key: Array) -> tuple[Array, int]:
    return np.arange(query.shape[1]), query.shape[1] // key.shape[1]


def _reading(heads: Array, query: Array, key: Array, value: Array) -> Array:
    heads = np.minimum(heads, key.shape[1] - 1)
    return attention(query, key[:, heads], value[:, heads])


@defect("every-word", "onnx#7274: key heads tiled, not repeated", features=GROUPED, killed_by=SHARED)
def heads_tiled(query: Array, key: Array, value: Array) -> Array:
    heads, _ = _heads_and_group(query, key)
    return _reading(heads % key.shape[1], query, key, value)


@defect("every-word", "keys repeated, values tiled", features=GROUPED, killed_by=SHARED)
def values_of_heads_tiled(query: Array, key: Array, value: Array) -> Array:
    heads, _ = _heads_and_group(query, key)
    return attention(query, for_each_query_head(key, query), value[:, heads % value.shape[1]])


@defect(
    "every-word", "HipKittens#22: the group size taken for the number of key heads", features=GROUPED, killed_by=SHARED
)
def heads_confused_with_groups(query: Array, key: Array, value: Array) -> Array:
    heads, group = _heads_and_group(query, key)
    return _reading(heads // (key.shape[1] if group > 1 else 1), query, key, value)


@defect("every-word", "the last query head of a group reads the next key head", features=GROUPED, killed_by=SHARED)
def last_head_of_a_group_reads_the_next_key_head(query: Array, key: Array, value: Array) -> Array:
    heads, group = _heads_and_group(query, key)
    return _reading((heads + 1) // group if group > 1 else heads, query, key, value)


@defect("every-word", "an odd group size is halved like an even one", features=GROUPED, killed_by=SHARED)
def odd_groups_rounded(query: Array, key: Array, value: Array) -> Array:
    heads, group = _heads_and_group(query, key)
    return _reading(heads // (group + group % 2 if group > 1 else 1), query, key, value)


@defect("every-word", "query heads beyond the key heads read the last", features=GROUPED, killed_by=SHARED)
def heads_beyond_the_key_heads(query: Array, key: Array, value: Array) -> Array:
    heads, _ = _heads_and_group(query, key)
    return _reading(heads, query, key, value)


@defect("every-word", "the queries of a group averaged", features=GROUPED, killed_by=ONE_FOR_ALL)
def queries_of_a_group_averaged(query: Array, key: Array, value: Array) -> Array:
    _, group = _heads_and_group(query, key)
    groups = query.reshape(query.shape[0], -1, group, *query.shape[2:])
    return attention(groups.mean(axis=2), key, value).repeat(group, axis=1)


@defect("every-word", "the axis of a single key head squeezed away", features=GROUPED, killed_by=ONE_FOR_ALL)
def single_key_head_squeezed(query: Array, key: Array, value: Array) -> Array:
    if key.shape[1] == 1 and query.shape[1] > 1:
        # The squeezed array (batch, n_k, d) is broadcast as if it were (heads, n_k, d).
        key, value = (np.resize(array[:, 0], (query.shape[1], *array.shape[2:])) for array in (key, value))
        return attention(query, key, value)
    return layer(query, key, value)


def _of_groups(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    """Return the gradients with those of key and value for each query head, (batch, key heads, group, …)."""
    d_query, *others = gradient(query, for_each_query_head(key, query), for_each_query_head(value, query), upstream)
    d_key, d_value = (array.reshape(*key.shape[:2], -1, *array.shape[2:]) for array in others)
    return d_query, d_key, d_value


@defect("every-word", "the mean over a group", step=Step.GRADIENT, features=GROUPED, killed_by=ASKED)
def gradient_is_the_mean_over_a_group(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = _of_groups(query, key, value, upstream)
    return d_query, d_key.mean(axis=2), d_value.mean(axis=2)


@defect(
    "every-word",
    "gradients overwritten instead of added over a group",
    step=Step.GRADIENT,
    features=GROUPED,
    killed_by=ASKED,
)
def gradient_of_the_last_head_of_a_group(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = _of_groups(query, key, value, upstream)
    return d_query, d_key[:, :, -1], d_value[:, :, -1]
