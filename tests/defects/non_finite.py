"""Defects in what NaN and ∞ in a query or a key become: hidden, lost on the way, or brought to other rows."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects import correct
from tests.defects.correct import Array, attention, online, scaled_scores
from tests.defects.correct_gradient import Gradients, d_scores, gradient, of_scores, through
from tests.defects.correct_layer import ahead, average, hidden, layer, log_sum_exp, seen_by, softmax
from tests.defects.defect import defect

QUERY = "test_nan_in_a_query_makes_its_row_nan_and_changes_no_other"
KEY = "test_nan_in_a_key_makes_nan_of_every_row_that_sees_it"
INFINITY = "test_infinity_in_a_query_or_a_key_makes_nan_of_a_row_with_an_infinite_score"
HIDDEN = "test_nan_and_infinity_in_a_key_reach_no_query_that_it_is_hidden_from"
HIDDEN_BACKWARD = "test_nan_in_a_key_or_a_value_reaches_no_gradient_of_a_query_that_it_is_hidden_from"
LOG_SUM_EXP = "test_nan_in_a_query_or_a_key_shows_in_the_log_sum_exp"
GRADIENT = "test_nan_in_a_query_or_a_key_reaches_the_gradients_of_its_own_head_only"
State = tuple[Array, ...]


@defect("softmax", "weights of NaN replaced by zero", killed_by=QUERY)
def weights_of_nan_are_zero(query: Array, key: Array, value: Array) -> Array:
    weights = correct.softmax(scaled_scores(query, key))
    return np.where(np.isnan(weights), 0, weights) @ value


@defect("softmax", "pytorch#141128: a row of NaN taken for a fully masked one", killed_by=QUERY)
def row_of_nan_taken_for_a_fully_masked_one(
    query: Array, key: Array, value: Array, *, mask: Array | None = None
) -> Array:
    scores = hidden(scaled_scores(query, key), mask)
    sees = (scores > -np.inf).any(axis=-1, keepdims=True)
    return np.where(sees, softmax(scores) @ value, 0)


@defect("softmax", "an exponential that bounds its argument by an instruction that ignores NaN", killed_by=QUERY)
def exponential_bounds_its_argument(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    shifted = scores - np.fmax.reduce(scores, axis=-1, keepdims=True)
    return correct.normalised(np.exp(np.fmax(shifted, -700 if query.dtype == np.float64 else -87))) @ value


@defect("every-word", "one flag for all sixteen queries of a block", killed_by=QUERY)
def nan_spoils_a_block_of_queries(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    for start in range(0, query.shape[-2], 16):
        block = output[..., start : start + 16, :]
        block += 0 * block.sum(axis=-2, keepdims=True)
    return output


@defect("softmax", "decoding takes another path, which drops NaN", killed_by=QUERY)
def single_query_drops_nan(query: Array, key: Array, value: Array) -> Array:
    return attention(np.nan_to_num(query) if query.shape[-2] == 1 else query, key, value)


@defect("score", "nan_to_num(scores)", killed_by=KEY)
def scores_of_nan_are_zero(query: Array, key: Array, value: Array) -> Array:
    return correct.softmax(np.nan_to_num(scaled_scores(query, key))) @ value


@defect("softmax", "max(NaN, x) is x, and a block that rescales NaN by zero loses it", killed_by=KEY)
def later_block_loses_nan(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        before, total, output = state
        largest = np.fmax(before, scores.max(axis=-1, keepdims=True))
        kept, weights = before > -np.inf, np.exp(scores - largest)
        total, output = (np.where(kept, array * np.exp(before - largest), 0) for array in (total, output))
        return largest, total + weights.sum(axis=-1, keepdims=True), output + weights @ value

    return online(query, key, value, absorb=absorb)


@defect("every-word", "one largest score for all heads of a batch", killed_by=KEY)
def nan_in_a_key_reaches_all_heads(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    return correct.softmax(scores + 0 * scores.max(axis=(1, 3), keepdims=True)) @ value


@defect("every-word", "NaN of one key head in the next group", features=[Feature.GROUPED_HEADS], killed_by=KEY)
def nan_in_a_key_reaches_the_next_group(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    spoilt = np.isnan(key).any(axis=(-2, -1), keepdims=True)
    return np.where(np.roll(spoilt.repeat(query.shape[1] // key.shape[1], axis=1), 1, axis=1), np.nan, output)


@defect("score", "infinite queries clamped to the largest finite number", killed_by=INFINITY)
def infinite_queries_are_clamped(query: Array, key: Array, value: Array) -> Array:
    limits = np.finfo(query.dtype)
    return attention(np.clip(query, limits.min, limits.max), key, value)


@defect("softmax", "an infinite largest score gets all of the weight", killed_by=INFINITY)
def infinite_score_wins(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    largest = scores.max(axis=-1, keepdims=True)
    return correct.normalised(np.where(scores == largest, 1, np.exp(scores - largest))) @ value


@defect("every-word", "-∞ added to later scores: NaN stays NaN", features=[Feature.NON_FINITE], killed_by=HIDDEN)
def nan_in_later_keys_is_added_to(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    seen = seen_by(ahead(query, key), causal=causal)
    return average(softmax(scaled_scores(query, key) + np.where(seen, 0, -np.inf).astype(query.dtype)), value)


@defect("softmax", "the log-sum-exp of NaN written as that of a fully masked row", killed_by=LOG_SUM_EXP)
def log_sum_exp_of_nan_is_minus_infinity(
    query: Array, key: Array, value: Array, *, return_lse: bool = False
) -> Array | tuple[Array, Array]:
    lse = log_sum_exp(scaled_scores(query, key))
    output = attention(query, key, value)
    return (output, np.where(np.isnan(lse), -np.inf, lse)) if return_lse else output


@defect("every-word", "gradients added up over the batches", step=Step.GRADIENT, killed_by=GRADIENT)
def nan_reaches_the_gradients_of_other_batches(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query, d_key + 0 * d_key.sum(axis=0, keepdims=True), d_value


@defect("every-word", "a block of queries shares a flag backward", step=Step.GRADIENT, killed_by=GRADIENT)
def nan_spoils_the_gradients_of_other_queries(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return d_query + 0 * d_query.sum(axis=-2, keepdims=True), d_key, d_value


@defect("softmax", "weights of NaN replaced by zero backward", step=Step.GRADIENT, killed_by=GRADIENT)
def weights_of_nan_are_zero_backward(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    return through(np.nan_to_num(softmax(scaled_scores(query, key))), query, key, value, upstream)


@defect(
    "every-word",
    "under a window, the products of a hidden value are multiplied by a weight of zero",
    step=Step.GRADIENT,
    features=[Feature.NON_FINITE],
    killed_by=HIDDEN_BACKWARD,
)
def nan_in_a_value_outside_of_the_window(
    query: Array, key: Array, value: Array, upstream: Array, *, window: int | None = None
) -> Gradients:
    if window is None:
        return gradient(query, key, value, upstream)
    weights = softmax(hidden(scaled_scores(query, key), seen_by(ahead(query, key), window=window)))
    return of_scores(d_scores(weights, upstream @ value.mT), weights, query, key, upstream)


@defect(
    "every-word",
    "backward, -∞ is added to the scores of hidden keys",
    step=Step.GRADIENT,
    features=[Feature.NON_FINITE],
    killed_by=HIDDEN_BACKWARD,
)
def nan_in_a_hidden_key_is_added_to_backward(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    scores = scaled_scores(query, key)
    seen = seen_by(ahead(query, key), mask=mask)
    return through(softmax(scores + np.where(seen, 0, -np.inf).astype(query.dtype)), query, key, value, upstream)
