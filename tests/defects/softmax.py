"""Defects in the weights: not the softmax of the scores."""

from __future__ import annotations

import math

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, normalised, scaled_scores, softmax
from tests.defects.defect import defect

SUM_TO_ONE = "test_weights_of_a_query_sum_to_one"
STAY_FINITE = "test_huge_scores_give_finite_weights"


def _below_largest(scores: Array) -> Array:
    return scores - scores.max(axis=-1, keepdims=True)


@defect("softmax", "no subtraction of the maximum", killed_by=STAY_FINITE)
def largest_score_not_subtracted(query: Array, key: Array, value: Array) -> Array:
    return normalised(np.exp(scaled_scores(query, key))) @ value


@defect("softmax", "the mean subtracted instead of the maximum", killed_by=STAY_FINITE)
def mean_score_subtracted(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return normalised(np.exp(scores - scores.mean(axis=-1, keepdims=True))) @ value


@defect("softmax", "one maximum for all queries", killed_by=STAY_FINITE)
def largest_score_of_all_queries(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return normalised(np.exp(scores - scores.max(axis=(-2, -1), keepdims=True))) @ value


@defect("softmax", "softmax over the wrong axis", killed_by=SUM_TO_ONE)
def normalised_over_the_queries(query: Array, key: Array, value: Array) -> Array:
    return softmax(scaled_scores(query, key).mT).mT @ value


@defect("softmax", "epsilon in the denominator", killed_by=SUM_TO_ONE)
def epsilon_in_the_denominator(query: Array, key: Array, value: Array) -> Array:
    exponentials = np.exp(_below_largest(scaled_scores(query, key)))
    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + exponentials.dtype.type(1e-5)) @ value


@defect(
    "softmax",
    "one added to the denominator: an attention sink that was not requested",
    killed_by="test_equal_values_pass_through_unchanged",
)
def one_in_the_denominator(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    shift = np.maximum(scores.max(axis=-1, keepdims=True), 0)
    exponentials = np.exp(scores - shift)
    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + np.exp(-shift)) @ value


@defect("softmax", "sigmoid for softmax", killed_by="test_output_lies_within_the_range_of_the_values")
def sigmoid_for_softmax(query: Array, key: Array, value: Array) -> Array:
    return 1 / (1 + np.exp(-scaled_scores(query, key))) @ value


@defect("softmax", "softplus for exp", killed_by="test_adding_one_vector_to_every_key_changes_nothing")
def softplus_for_exp(query: Array, key: Array, value: Array) -> Array:
    return normalised(np.logaddexp(scaled_scores(query, key), 0)) @ value


@defect("softmax", "exp by a cubic polynomial", killed_by="test_weights_are_never_negative")
def cubic_for_exp(query: Array, key: Array, value: Array) -> Array:
    x = _below_largest(scaled_scores(query, key))
    return normalised(1 + x + x**2 / 2 + x**3 / 6) @ value


@defect("softmax", "exp2 without log2(e)", killed_by="test_tiny_outputs_are_relatively_accurate")
def base_2_for_base_e(query: Array, key: Array, value: Array) -> Array:
    return normalised(np.exp2(_below_largest(scaled_scores(query, key)))) @ value


@defect("softmax", "trunc for floor in a fast exp", killed_by="test_a_higher_score_never_gets_a_lower_weight")
def exponent_truncated(query: Array, key: Array, value: Array) -> Array:
    x = _below_largest(scaled_scores(query, key)) / math.log(2)
    return normalised(np.ldexp(np.exp2(x - np.floor(x)), np.trunc(x).astype(int))) @ value


@defect("softmax", "a uniform floor under the weights", killed_by="test_a_dominant_score_returns_its_value")
def weights_have_a_floor(query: Array, key: Array, value: Array) -> Array:
    weights = softmax(scaled_scores(query, key))
    return normalised(weights + weights.dtype.type(1e-4)) @ value


@defect("softmax", "the mean of the values", killed_by="test_a_dominant_score_returns_its_value")
def mean_of_the_values(query: Array, key: Array, value: Array) -> Array:
    return softmax(0 * scaled_scores(query, key)) @ value


@defect("softmax", "ties to the first", killed_by="test_equal_keys_get_equal_weights")
def ties_to_the_first(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    largest = scores == scores.max(axis=-1, keepdims=True)
    return normalised(np.where(largest & (largest.cumsum(axis=-1) > 1), 0, np.exp(_below_largest(scores)))) @ value


@defect("softmax", "a fast path for one key that skips the softmax", killed_by="test_a_single_key_returns_its_value")
def single_key_weighs_its_score(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return (scores if scores.shape[-1] == 1 else softmax(scores)) @ value


@defect("softmax", "a row of zeros taken as masked", killed_by="test_queries_of_zero_return_the_mean_of_the_values")
def scores_of_zero_are_masked(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return np.where((scores == 0).all(axis=-1, keepdims=True), 0, softmax(scores)) @ value


@defect(
    "softmax",
    "exp2 without log2(e), in the step",
    step=Step.SOFTMAX,
    killed_by="test_softmax_normalises_the_exponentials",
)
def step_takes_base_2_for_base_e(scores: Array) -> Array:
    return normalised(np.exp2(_below_largest(scores)))


@defect(
    "softmax",
    "softmax over the wrong axis, in the step",
    step=Step.SOFTMAX,
    killed_by="test_softmax_normalises_the_exponentials",
)
def step_normalises_over_the_queries(scores: Array) -> Array:
    return softmax(scores.mT).mT


@defect(
    "softmax", "softplus for exp, in the step", step=Step.SOFTMAX, killed_by="test_softmax_normalises_the_exponentials"
)
def step_takes_softplus_for_exp(scores: Array) -> Array:
    return normalised(np.logaddexp(scores, 0))
