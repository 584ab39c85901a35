"""Defects that show where there are many queries: their log-sum-exps, their largest scores, groups of many heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_gradient import (
    Gradients,
    d_scores,
    d_weights,
    gradient,
    of_scores,
    slope_of_cap,
    summed_over_groups,
)
from tests.defects.correct_layer import ahead, capped, for_each_query_head, hidden, layer, seen_by, softmax
from tests.defects.defect import defect

MANY = "test_each_of_many_queries_has_its_log_sum_exp"


@defect("softmax", "log-sum-exps written in rows of whole tiles", features=[Feature.LOG_SUM_EXP], killed_by=MANY)
def log_sum_exps_in_rows_of_whole_tiles(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Any:
    answer = layer(query, key, value, return_lse=return_lse)
    n_q = query.shape[2]
    if not return_lse or n_q <= 128 or n_q % 128 == 0:
        return answer
    output, lse = answer
    padded = np.pad(lse, [(0, 0), (0, 0), (0, -n_q % 128)])
    return output, padded.reshape(-1)[: lse.size].reshape(lse.shape)


@defect(
    "softmax",
    "beyond a tile, a query that sees nothing has a log-sum-exp of zero",
    features=[Feature.LOG_SUM_EXP],
    killed_by=MANY,
)
def log_sum_exp_of_nothing_is_zero_beyond_a_tile(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, return_lse: bool = False
) -> Any:
    answer = layer(query, key, value, mask=mask, return_lse=return_lse)
    if not return_lse or query.shape[2] <= 64:
        return answer
    output, lse = answer
    return output, np.where(np.isneginf(lse), 0, lse).astype(lse.dtype)


@defect(
    "softmax",
    "in a tile of 64, two neighbouring queries share their largest score",
    killed_by="test_each_query_has_a_largest_score_of_its_own",
)
def largest_score_of_two_queries(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    largest = scores.max(axis=-1, keepdims=True)
    if query.shape[2] == 64:
        pairs = largest.reshape(*largest.shape[:2], -1, 2)
        largest = np.repeat(pairs.max(axis=-1), 2, axis=-1)[..., None]
    weights = np.exp(scores - largest)
    return weights @ value / np.maximum(weights.sum(axis=-1, keepdims=True), np.finfo(weights.dtype).tiny)


@defect(
    "every-word",
    "decoding takes sixteen query heads of a group at once, and no more",
    features=[Feature.GROUPED_HEADS],
    killed_by="test_a_query_gets_the_value_that_it_asks_for_at_real_sizes",
)
def sixteen_heads_of_a_group(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    if query.shape[2] == 1 and query.shape[1] > 16 * key.shape[1]:
        output.reshape(*key.shape[:2], -1, value.shape[-1])[:, :, 16:] = 0
    return output


@defect(
    "matrix",
    "row sums of outputs and upstream gradients over as many columns as keys have",
    step=Step.GRADIENT,
    killed_by="test_gradients_are_right_at_any_sequence_length",
)
def row_sums_over_the_columns_of_keys(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if query.shape[2] < 64 or value.shape[-1] <= key.shape[-1] or query.shape[1] != key.shape[1]:
        return gradient(query, key, value, upstream)
    weights, columns = softmax(scaled_scores(query, key)), slice(key.shape[-1])
    sums = (upstream[..., columns] * (weights @ value)[..., columns]).sum(axis=-1, keepdims=True)
    return of_scores(weights * (d_weights(weights, value, upstream) - sums), weights, query, key, upstream)


@defect(
    "scale",
    "with causality, the slope of the soft cap is that of the first head of a group",
    step=Step.GRADIENT,
    features=[Feature.GROUPED_HEADS],
    killed_by="test_any_two_other_options_apply_to_the_gradients_of_grouped_heads",
)
def slope_of_the_first_head_of_a_group(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    causal: bool = False,
    softcap: float | None = None,
) -> Gradients:
    group = query.shape[1] // max(1, key.shape[1])
    if softcap is None or not causal or group == 1:
        return gradient(query, key, value, upstream, causal=causal, softcap=softcap)
    own_key, own_value = (for_each_query_head(array, query) for array in (key, value))
    scores = scaled_scores(query, own_key)
    weights = softmax(hidden(capped(scores, softcap), seen_by(ahead(query, key), causal=True)))
    slopes = np.repeat(slope_of_cap(scores[:, ::group], softcap), group, axis=1)
    of = np.where(weights > 0, d_scores(weights, d_weights(weights, own_value, upstream)) * slopes, 0)
    d_query, d_key, d_value = of_scores(of, weights, query, own_key, upstream)
    return d_query, summed_over_groups(d_key, key), summed_over_groups(d_value, value)
