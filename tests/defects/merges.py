"""Parts of the keys that are merged by their log-sum-exps: a right kernel, and defects in the merge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.defects.correct import Array, scaled_scores, to_bits
from tests.defects.correct_layer import average, for_each_query_head, hidden, log_sum_exp, softmax
from tests.defects.defect import defect

INSIDE_BOUND = "test_every_element_is_inside_the_derived_bound"
BFLOAT16 = 8

Parts = Sequence[tuple[Array, Array]]
"""The scores and values of each part of the keys."""


def layer_of_parts(
    query: Array,
    key: Array,
    value: Array,
    *,
    mask: Array | None = None,
    return_lse: bool = False,
    logs_of: Callable[[Parts], Array] | None = None,
) -> Array:
    """Return attention merged from parts of 16 keys; `logs_of` returns their log-sum-exps (…, n_q, parts).

    The outputs are weighed by exp of the differences from the merged log-sum-exp, and not divided by a sum again.
    """
    key, value = (for_each_query_head(array, query) for array in (key, value))
    scores = hidden(scaled_scores(query, key), mask)
    starts = range(0, max(1, key.shape[-2]), 16)
    parts = [(scores[..., start : start + 16], value[..., start : start + 16, :]) for start in starts]
    logs = (logs_of or log_sum_exps)(parts)
    merged = log_sum_exp(logs)
    shares = np.exp(logs - np.where(np.isneginf(merged), 0, merged)[..., None])
    output = sum(shares[..., i, None] * average(softmax(scores), value) for i, (scores, value) in enumerate(parts))
    return (output, merged) if return_lse else output


def log_sum_exps(parts: Parts) -> Array:
    return np.stack([log_sum_exp(scores) for scores, _ in parts], axis=-1)


@defect("softmax", "parts merged by log-sum-exps to base 2 as if to base e", killed_by=INSIDE_BOUND)
def merged_in_another_base(query: Array, key: Array, value: Array) -> Array:
    return layer_of_parts(
        query, key, value, logs_of=lambda parts: log_sum_exps(parts) * query.dtype.type(np.log2(np.e))
    )


@defect("softmax", "parts merged by sums of weights, without their largest scores", killed_by=INSIDE_BOUND)
def merged_without_the_largest_scores(query: Array, key: Array, value: Array) -> Array:
    def logs_of(parts: Parts) -> Array:
        return log_sum_exps([(scores - scores.max(axis=-1, keepdims=True), value) for scores, value in parts])

    return layer_of_parts(query, key, value, logs_of=logs_of)


@defect("softmax", "log-sum-exps of the parts kept in bfloat16", killed_by=INSIDE_BOUND)
def log_sum_exps_of_parts_in_bfloat16(query: Array, key: Array, value: Array) -> Array:
    return layer_of_parts(query, key, value, logs_of=lambda parts: to_bits(log_sum_exps(parts), BFLOAT16))


@defect("softmax", "the part with the largest log-sum-exp taken for all of them", killed_by=INSIDE_BOUND)
def largest_part_alone(query: Array, key: Array, value: Array) -> Array:
    def logs_of(parts: Parts) -> Array:
        logs = log_sum_exps(parts)
        return np.where(logs < logs.max(axis=-1, keepdims=True), -np.inf, logs)

    return layer_of_parts(query, key, value, logs_of=logs_of)
