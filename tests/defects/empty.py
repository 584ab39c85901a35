"""Defects on arrays of size zero."""

from __future__ import annotations

import numpy as np

from attention_tests import Feature
from tests.defects import correct
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.defects.defect import defect

NO_QUERIES = "test_no_queries_give_no_outputs"
NO_WORDS = "test_no_words_to_see_give_what_the_dialect_says"
NO_HEADS = "test_no_batches_and_no_heads_give_none"
NO_WIDTH = "test_values_of_no_width_give_outputs_of_no_width"
EMPTY = (Feature.EMPTY,)


@defect("every-word", "flash-attention#2470: no queries cannot be launched", features=EMPTY, killed_by=NO_QUERIES)
def no_queries_raise(query: Array, key: Array, value: Array) -> Array:
    if query.shape[-2] == 0:
        raise RuntimeError("invalid configuration argument")
    return layer(query, key, value)


@defect("pack", "an empty output like the query", features=EMPTY, killed_by=NO_QUERIES)
def no_queries_give_their_own_width(query: Array, key: Array, value: Array) -> Array:
    return query.copy() if query.shape[-2] == 0 else layer(query, key, value)


@defect("softmax", "the maximum of no scores", features=EMPTY, killed_by=NO_WORDS)
def no_words_raise(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)


@defect("pack", "a division by zero key heads", features=EMPTY, killed_by=NO_HEADS)
def no_heads_raise(query: Array, key: Array, value: Array) -> Array:
    group = query.shape[1] // key.shape[1]
    return layer(query, key.repeat(group, axis=1), value.repeat(group, axis=1))


@defect("pack", "a batch of zero counts as one", features=EMPTY, killed_by=NO_HEADS)
def no_batch_counts_as_one(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    return output if len(output) else np.zeros_like(output, shape=(1, *output.shape[1:]))


@defect("pack", "an empty output as wide as the keys", features=EMPTY, killed_by=NO_WIDTH)
def no_width_is_that_of_the_keys(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value) if value.shape[-1] else np.zeros_like(query)


@defect(
    "pack", "flash-attention#2470: one block per column cannot be launched for none", features=EMPTY, killed_by=NO_WIDTH
)
def no_width_raises(query: Array, key: Array, value: Array) -> Array:
    columns = [layer(query, key, value[..., i : i + 1]) for i in range(value.shape[-1])]
    return np.concatenate(columns, axis=-1)
