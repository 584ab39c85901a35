"""Defects on arrays of size zero."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature, Step
from tests.defects import correct
from tests.defects.correct import Array
from tests.defects.correct_gradient import Gradients, gradient
from tests.defects.correct_layer import layer
from tests.defects.defect import defect

NO_QUERIES = "test_zero_queries_give_an_empty_output"
NO_WORDS = "test_zero_keys_give_the_fully_masked_rows_of_the_dialect"
NO_HEADS = "test_zero_batches_or_heads_give_an_empty_output"
NO_WIDTH = "test_values_of_width_zero_give_outputs_of_width_zero"
OPTIONS = "test_an_option_works_with_an_axis_of_size_zero"
SUM = "test_the_log_sum_exp_of_no_keys_is_minus_infinity_and_of_no_queries_empty"
GRADIENTS = "test_gradients_of_an_axis_of_size_zero_are_empty_or_zero"
ANSWERED = "test_an_axis_of_size_zero_is_answered_or_refused"
GRADIENTS_ANSWERED = "test_gradients_of_an_axis_of_size_zero_are_answered_or_refused"
EMPTY = (Feature.EMPTY,)


@defect("every-word", "flash-attention#2470: no queries cannot be launched", features=EMPTY, killed_by=NO_QUERIES)
def no_queries_raise(query: Array, key: Array, value: Array) -> Array:
    if query.shape[-2] == 0:
        raise RuntimeError("invalid configuration argument")
    return layer(query, key, value)


@defect("pack", "an empty output like the query", features=EMPTY, killed_by=NO_QUERIES)
def no_queries_give_the_width_of_the_queries(query: Array, key: Array, value: Array) -> Array:
    return query.copy() if query.shape[-2] == 0 else layer(query, key, value)


@defect("softmax", "the maximum of no scores", features=EMPTY, killed_by=NO_WORDS)
def no_keys_raise(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)


@defect("pack", "a division by zero key heads", features=EMPTY, killed_by=NO_HEADS)
def no_heads_raise(query: Array, key: Array, value: Array) -> Array:
    group = query.shape[1] // key.shape[1]
    return layer(query, key.repeat(group, axis=1), value.repeat(group, axis=1))


@defect("pack", "a batch of zero counts as one", features=EMPTY, killed_by=NO_HEADS)
def batch_of_zero_counts_as_one(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    return output if len(output) else np.zeros_like(output, shape=(1, *output.shape[1:]))


@defect("pack", "an empty output as wide as the keys", features=EMPTY, killed_by=NO_WIDTH)
def width_of_zero_becomes_that_of_the_keys(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value) if value.shape[-1] else np.zeros_like(query)


@defect(
    "pack", "flash-attention#2470: one block per column cannot be launched for none", features=EMPTY, killed_by=NO_WIDTH
)
def width_of_zero_raises(query: Array, key: Array, value: Array) -> Array:
    columns = [layer(query, key, value[..., i : i + 1]) for i in range(value.shape[-1])]
    return np.concatenate(columns, axis=-1)


@defect("softmax", "nothing divided by nothing, where fully masked rows are zeros", features=EMPTY, killed_by=NO_WORDS)
def no_keys_divide_by_zero(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value) if key.shape[-2] else np.full_like(query, np.nan, shape=_shape(query, value))


@defect("every-word", "the largest number of no keys that a mask allows", features=EMPTY, killed_by=OPTIONS)
def mask_of_no_keys_raises(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    if mask is not None and not mask.sum(axis=-1).max():
        raise RuntimeError("nothing to attend to")
    return layer(query, key, value, mask=mask)


@defect("softmax", "the log-sum-exp of no keys is zero", features=EMPTY, killed_by=SUM)
def log_sum_exp_of_no_keys_is_zero(
    query: Array, key: Array, value: Array, *, return_lse: bool = False
) -> Array | tuple[Array, Array]:
    output, lse = layer(query, key, value, return_lse=True)
    return (output, lse if key.shape[-2] else np.zeros_like(lse)) if return_lse else output


@defect("every-word", "no block of queries to compute", step=Step.GRADIENT, features=EMPTY, killed_by=GRADIENTS)
def gradients_of_no_queries_raise(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    if query.shape[-2] == 0:
        raise RuntimeError("invalid configuration argument")
    return gradient(query, key, value, upstream)


@defect(
    "every-word",
    "gradients that no block writes keep what was in memory",
    step=Step.GRADIENT,
    killed_by=GRADIENTS_ANSWERED,
)
def gradients_of_no_queries_are_not_written(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    return (d_query, d_key, d_value) if query.shape[-2] else (d_query, d_key + 1, d_value)


@defect("pack", "a row for no query", killed_by=ANSWERED)
def no_queries_give_one_row(query: Array, key: Array, value: Array) -> Array:
    return layer(query if query.shape[-2] else query.sum(axis=-2, keepdims=True), key, value)


@defect("pack", "a batch of zero counts as one, if undeclared", killed_by=ANSWERED)
def undeclared_batch_of_zero_counts_as_one(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    return output if len(output) else np.zeros_like(output, shape=(1, *output.shape[1:]))


@defect("pack", "an output without heads loses the axis", killed_by=ANSWERED)
def no_heads_lose_the_axis(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    return output if output.shape[1] else output.sum(axis=1)


@defect("softmax", "a row for which no block is computed keeps what was in memory", killed_by=ANSWERED)
def rows_of_no_keys_are_not_written(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value) if key.shape[-2] else np.ones_like(query, shape=_shape(query, value))


@defect("every-word", "no key head to read: memory as it was", features=[Feature.GROUPED_HEADS], killed_by=ANSWERED)
def no_key_heads_are_not_looked_at(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value) if key.shape[1] else np.ones_like(value, shape=_shape(query, value))


@defect("score", "keys of width zero taken for none", killed_by=ANSWERED)
def keys_of_width_zero_are_no_keys(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return layer(query, key, value, scale=scale) if key.shape[-1] else np.zeros_like(value, shape=_shape(query, value))


def _shape(query: Array, value: Array) -> tuple[int, ...]:
    return (*query.shape[:-1], value.shape[-1])
