"""Defects in the log-sum-exp, and in a dropout that must be off."""

from __future__ import annotations

import math
from itertools import count

import numpy as np

from tests.defects.correct import Array, scaled_scores, to_bits
from tests.defects.correct_layer import layer, log_sum_exp, softmax
from tests.defects.defect import defect

LOGARITHM = "test_log_sum_exp_is_the_logarithm_of_the_denominator"
PARTS = "test_parts_merged_by_log_sum_exp_equal_the_whole"
DROPS_NOTHING = "test_dropout_of_zero_changes_nothing"


def _with(lse: Array, query: Array, key: Array, value: Array, *, return_lse: bool) -> Array:
    output = layer(query, key, value)
    return (output, lse) if return_lse else output


@defect("softmax", "the logarithm to base 2", killed_by=PARTS)
def lse_in_base_2(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    lse = log_sum_exp(scaled_scores(query, key)) * query.dtype.type(math.log2(math.e))
    return _with(lse, query, key, value, return_lse=return_lse)


@defect("softmax", "the logarithm of the sum, without the largest score", killed_by=LOGARITHM)
def lse_without_the_largest(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    scores = scaled_scores(query, key)
    lse = log_sum_exp(scores - scores.max(axis=-1, keepdims=True))
    return _with(lse, query, key, value, return_lse=return_lse)


@defect("softmax", "the largest score alone", killed_by=PARTS)
def lse_is_the_largest_score(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return _with(scaled_scores(query, key).max(axis=-1), query, key, value, return_lse=return_lse)


@defect("scale", "flash-attention#2842: the log-sum-exp of unscaled scores", killed_by=LOGARITHM)
def lse_of_unscaled_scores(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return _with(log_sum_exp(query @ key.mT), query, key, value, return_lse=return_lse)


@defect("softmax", "the sum of exponentials without its logarithm", killed_by=LOGARITHM)
def lse_is_the_sum(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return _with(np.exp(scaled_scores(query, key)).sum(axis=-1), query, key, value, return_lse=return_lse)


@defect("softmax", "the largest score is not subtracted first", killed_by=LOGARITHM)
def lse_overflows(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return _with(np.log(np.exp(scaled_scores(query, key)).sum(axis=-1)), query, key, value, return_lse=return_lse)


@defect("softmax", "the log-sum-exp kept in bfloat16", killed_by=PARTS)
def lse_in_8_bits(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return _with(to_bits(log_sum_exp(scaled_scores(query, key)), 8), query, key, value, return_lse=return_lse)


@defect("softmax", "padding lanes in the sum", killed_by=PARTS)
def lse_counts_padding(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    lanes = -key.shape[-2] % 8
    lse = log_sum_exp(np.pad(scaled_scores(query, key), [(0, 0)] * 3 + [(0, lanes)]))
    return _with(lse, query, key, value, return_lse=return_lse)


@defect("softmax", "an output that is not divided where the log-sum-exp is requested", killed_by=LOGARITHM)
def output_not_divided_for_the_lse(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    output, total = layer(query, key, value), log_sum_exp(scaled_scores(query, key))
    return (output * np.exp(total)[..., None], total) if return_lse else output


_calls = count()


@defect("softmax", "pytorch#124464: 0 taken as absent, the default drops", killed_by=DROPS_NOTHING)
def dropout_of_zero_is_the_default(query: Array, key: Array, value: Array, *, dropout: float | None = None) -> Array:
    weights = softmax(scaled_scores(query, key))
    dropped = 0.0 if dropout is None else dropout or 0.1
    return weights * (np.random.default_rng(next(_calls)).random(weights.shape) >= dropped) @ value


@defect("softmax", "the probability to keep taken for the probability to drop", killed_by=DROPS_NOTHING)
def dropout_drops_what_it_should_keep(query: Array, key: Array, value: Array, *, dropout: float | None = None) -> Array:
    return layer(query, key, value if dropout is None else value * value.dtype.type(dropout))


@defect("softmax", "divided by the probability to drop", killed_by=DROPS_NOTHING)
def dropout_divides_by_zero(query: Array, key: Array, value: Array, *, dropout: float | None = None) -> Array:
    output = layer(query, key, value)
    return output if dropout is None else output / output.dtype.type(dropout)
