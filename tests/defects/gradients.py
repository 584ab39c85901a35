"""Defects in the gradients of a right output, such as flash-attention#2623."""

from __future__ import annotations

import math

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array, scaled_scores, softmax, to_bits
from tests.defects.correct_gradient import Gradients, d_scores, d_weights, gradient, of_scores, through
from tests.defects.defect import defect

FORMULA = "test_gradients_are_those_of_the_formula"
FORETELL = "test_gradients_predict_how_the_output_changes"
EXPLICIT = "test_an_explicit_scale_multiplies_the_gradients_of_the_scores"
KEYS = "test_gradients_of_the_keys_sum_to_zero"
VALUES = "test_gradients_of_the_values_sum_to_those_of_the_outputs"
WEIGHTS = "test_gradients_of_the_values_are_the_weights"
TURN = "test_negating_the_upstream_gradient_negates_the_gradients"
NOTHING = "test_an_upstream_gradient_of_zero_gives_gradients_of_zero"
OWN = "test_the_gradient_of_a_query_comes_from_its_own_output_only"
REORDERED = "test_reordering_tokens_reorders_gradients"
MANY = "test_gradients_of_the_values_keep_many_small_contributions"
LONG = "test_gradients_are_right_at_any_sequence_length"


def _weights(query: Array, key: Array, scale: float | None = None) -> Array:
    return softmax(scaled_scores(query, key, scale))


@defect("scale", "flash-attention#2623: the query's gradient is not scaled", step=Step.GRADIENT, killed_by=FORMULA)
def query_gradient_not_scaled(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query * query.dtype.type(math.sqrt(key.shape[-1])), d_key, d_value


@defect("scale", "the key's gradient is not scaled", step=Step.GRADIENT, killed_by=FORETELL)
def key_gradient_not_scaled(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, d_key * query.dtype.type(math.sqrt(key.shape[-1])), d_value


@defect("scale", "the explicit scale ignored in the backward pass", step=Step.GRADIENT, killed_by=EXPLICIT)
def scale_ignored_in_the_backward_pass(
    query: Array, key: Array, value: Array, upstream: Array, *, scale: float | None = None
) -> Gradients:
    return through(_weights(query, key, scale), query, key, value, upstream)


@defect("scale", "a scale of 0 taken as absent in the backward pass", step=Step.GRADIENT, killed_by=EXPLICIT)
def gradient_scale_of_zero_is_the_default(
    query: Array, key: Array, value: Array, upstream: Array, *, scale: float | None = None
) -> Gradients:
    return gradient(query, key, value, upstream, scale=scale or None)


@defect("softmax", "the normalisation of the weights left out of the gradient", step=Step.GRADIENT, killed_by=KEYS)
def gradient_without_delta(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = _weights(query, key)
    return of_scores(weights * d_weights(weights, value, upstream), weights, query, key, upstream)


@defect("softmax", "softmax taken as the identity", step=Step.GRADIENT, killed_by=FORETELL)
def softmax_gradient_taken_as_the_identity(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = _weights(query, key)
    return of_scores(d_weights(weights, value, upstream), weights, query, key, upstream)


@defect("softmax", "delta summed over the queries", step=Step.GRADIENT, killed_by=FORMULA)
def delta_over_the_queries(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = _weights(query, key)
    of_weights = d_weights(weights, value, upstream)
    of = weights * (of_weights - (weights * of_weights).sum(axis=-2, keepdims=True))
    return of_scores(of, weights, query, key, upstream)


@defect("softmax", "delta from an output kept in bfloat16", step=Step.GRADIENT, killed_by=FORMULA)
def delta_from_a_rounded_output(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = _weights(query, key)
    delta = (upstream * to_bits(weights @ value, 8)).sum(axis=-1, keepdims=True)
    of = weights * (d_weights(weights, value, upstream) - delta)
    return of_scores(of, weights, query, key, upstream)


@defect("softmax", "exponentials not divided by their sum", step=Step.GRADIENT, killed_by=VALUES)
def value_gradient_not_normalised(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, _ = gradient(query, key, value, upstream)
    scores = scaled_scores(query, key)
    return d_query, d_key, np.exp(scores - scores.max(axis=-1, keepdims=True)).mT @ upstream


@defect("weigh", "every value gets an equal share", step=Step.GRADIENT, killed_by=WEIGHTS)
def value_gradient_without_weights(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, d_key, np.broadcast_to(upstream.sum(axis=-2, keepdims=True) / key.shape[-2], d_value.shape)


@defect("weigh", "the weights of another query", step=Step.GRADIENT, killed_by=WEIGHTS)
def value_gradient_of_another_query(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, _ = gradient(query, key, value, upstream)
    return d_query, d_key, _weights(query, key)[..., ::-1, :].mT @ upstream


@defect("score", "values in place of the keys", step=Step.GRADIENT, killed_by=FORMULA)
def query_gradient_from_the_values(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    weights = _weights(query, key)
    _, d_key, d_value = gradient(query, key, value, upstream)
    of = d_scores(weights, d_weights(weights, value, upstream))
    return of_scores(of, weights, query, np.resize(value, key.shape), upstream)[0], d_key, d_value


@defect("sum", "the gradient of the plain sum, whatever is upstream", step=Step.GRADIENT, killed_by=TURN)
def upstream_taken_as_ones(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, key, value, np.ones_like(upstream))


@defect("sum", "an upstream gradient of zeros taken as absent", step=Step.GRADIENT, killed_by=NOTHING)
def no_upstream_taken_as_ones(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return gradient(query, key, value, upstream if upstream.any() else np.ones_like(upstream))


@defect("every-word", "the upstream gradient of the next query", step=Step.GRADIENT, killed_by=OWN)
def upstream_of_the_next_query(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    _, d_key, d_value = gradient(query, key, value, upstream)
    return gradient(query, key, value, np.roll(upstream, -1, axis=-2))[0], d_key, d_value


@defect("global-view", "only the first eight keys get a gradient", step=Step.GRADIENT, killed_by=REORDERED)
def keys_past_the_eighth_get_no_gradient(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    d_key[..., 8:, :] = 0
    return d_query, d_key, d_value


@defect("matrix", "wrong by a thousandth", step=Step.GRADIENT, killed_by=FORMULA)
def query_gradient_off_by_a_thousandth(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query * query.dtype.type(1.001), d_key, d_value


@defect("matrix", "wrong only beyond sixteen keys", step=Step.GRADIENT, killed_by=FORMULA)
def second_block_of_keys_unscaled(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    d_key[..., 16:, :] *= 2
    return d_query, d_key, d_value


@defect("matrix", "queries beyond the last whole block of 64 are left out", step=Step.GRADIENT, killed_by=LONG)
def tail_of_the_queries_dropped(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    whole = upstream.copy()
    if upstream.shape[-2] > 64:
        whole[..., upstream.shape[-2] // 64 * 64 :, :] = 0
    return gradient(query, key, value, whole)


@defect("sum", "sums over blocks of queries are kept in bfloat16", step=Step.GRADIENT, killed_by=MANY)
def value_gradient_summed_in_8_bits(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    weights, d_value = _weights(query, key), np.zeros_like(d_value)
    for start in range(0, query.shape[-2], 64):
        block = np.s_[..., start : start + 64, :]
        d_value = to_bits(d_value + weights[block].mT @ upstream[block], 8)
    return d_query, d_key, d_value
