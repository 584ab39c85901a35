"""Defects on arrays of size zero."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature
from tests.defects import correct
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.defects.defect import defect

NO_QUERIES = "test_zero_queries_give_an_empty_output"
NO_WORDS = "test_zero_keys_give_the_fully_masked_rows_of_the_dialect"
NO_HEADS = "test_zero_batches_or_heads_give_an_empty_output"
NO_WIDTH = "test_values_of_width_zero_give_outputs_of_width_zero"
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
