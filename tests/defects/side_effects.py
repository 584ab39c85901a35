"""Defects in side effects of right outputs: inputs written, memory shared, earlier calls remembered."""

from __future__ import annotations

from itertools import count

import numpy as np

from attention_tests import Precision
from tests.defects.correct import Array, attention, normalised, online, scaled_scores
from tests.defects.defect import defect

_calls = count()


@defect("every-word", "the query overwritten", killed_by="test_inputs_are_not_written")
def query_scaled_in_place(query: Array, key: Array, value: Array) -> Array:
    query *= 1 / np.sqrt(key.shape[-1]).astype(query.dtype)
    return attention(query, key, value, scale=1.0)


@defect("every-word", "the output is written over the query", killed_by="test_inputs_are_not_written")
def output_written_over_the_query(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    if output.shape != query.shape:
        return output
    query[...] = output
    return output


@defect("every-word", "the output aliases an input", killed_by="test_output_shares_no_memory_with_its_inputs")
def single_value_returned_without_a_copy(query: Array, key: Array, value: Array) -> Array:
    one = key.shape[-2] == 1
    return np.broadcast_to(value, (*query.shape[:-1], value.shape[-1])) if one else attention(query, key, value)


_outputs: dict[tuple[object, ...], Array] = {}


@defect("every-word", "one output buffer for all calls", killed_by="test_later_calls_do_not_change_earlier_outputs")
def output_buffer_used_again(query: Array, key: Array, value: Array) -> Array:
    output = attention(query, key, value)
    buffer: Array = _outputs.setdefault((output.shape, output.dtype), output)
    buffer[...] = output
    return buffer


@defect("every-word", "flash-attention#359: a race", killed_by="test_same_call_gives_same_bits")
def sums_in_random_order(query: Array, key: Array, value: Array) -> Array:
    noise = np.random.default_rng(next(_calls)).uniform(-1, 1, (*query.shape[:-1], 1)).astype(query.dtype)
    return attention(query, key, value) * (1 + noise * np.finfo(query.dtype).eps)


@defect("every-word", "pytorch#124464: dropout outside of training", killed_by="test_same_call_gives_same_bits")
def dropout_outside_of_training(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    kept = np.random.default_rng(next(_calls)).random(scores.shape) > 0.1
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return normalised(exponentials) * kept / 0.9 @ value


@defect(
    "every-word",
    "outputs in float64",
    dtypes={"float32": Precision.float32()},
    killed_by="test_output_has_the_dtype_of_its_inputs",
)
def answers_in_float64(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value).astype(np.float64)


_of_shape: dict[tuple[int, ...], Array] = {}


@defect("every-word", "cache keyed by shape", killed_by="test_new_numbers_in_the_same_buffers_give_new_outputs")
def keys_cached_by_shape(query: Array, key: Array, value: Array) -> Array:
    return attention(query, _of_shape.setdefault(key.shape, key.copy()), value)


_last: list[tuple[Array, Array]] = []


@defect("every-word", "cache keyed by address", killed_by="test_new_numbers_in_the_same_buffers_give_new_outputs")
def keys_cached_by_address(query: Array, key: Array, value: Array) -> Array:
    # A reference to the key keeps its address from being reused by another array.
    if not _last or _last[-1][0] is not key:
        _last[:] = [(key, key.copy())]
    return attention(query, _last[-1][1], value)


_largest_before: dict[str, float] = {}


@defect("every-word", "a running maximum that is not reset", killed_by="test_same_call_gives_same_bits")
def largest_score_remembered(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    largest = scores.max(axis=-1, keepdims=True)
    shift = np.clip(_largest_before.get("score", 0.0), largest, largest + 8).astype(scores.dtype)
    _largest_before["score"] = float(scores.max())
    return normalised(np.exp(scores - shift)) @ value


_last_request: list[bytes] = []


@defect(
    "every-word", "vllm#40896: a call made twice has its keys from a cache", killed_by="test_same_call_gives_same_bits"
)
def second_call_in_blocks(query: Array, key: Array, value: Array) -> Array:
    request = query.tobytes() + key.tobytes() + value.tobytes()
    again = _last_request == [request]
    _last_request[:] = [request]
    return online(query, key, value, block=1) if again else attention(query, key, value)
