"""Defects in the online softmax: at the boundary of two blocks of keys, or in a last block that is not full."""

from __future__ import annotations

import numpy as np

from tests.defects.correct import Array, absorbed, attention, online
from tests.defects.defect import defect

INSIDE_BOUND = "test_every_element_is_inside_the_derived_bound"
State = tuple[Array, ...]


@defect("softmax", "the sum of the weights is not rescaled", killed_by=INSIDE_BOUND)
def total_not_rescaled(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        largest, _, output = absorbed(state, scores, value)
        return largest, state[1] + np.exp(scores - largest).sum(axis=-1, keepdims=True), output

    return online(query, key, value, absorb=absorb)


@defect("sum", "the sum of the weighted values is not rescaled", killed_by=INSIDE_BOUND)
def output_not_rescaled(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        largest, total, _ = absorbed(state, scores, value)
        return largest, total, state[2] + np.exp(scores - largest) @ value

    return online(query, key, value, absorb=absorb)


@defect(
    "softmax",
    "flash-attention#2842: parts merged without their sums",
    killed_by="test_repeating_every_key_with_its_value_changes_nothing",
)
def blocks_averaged(query: Array, key: Array, value: Array) -> Array:
    starts = range(0, key.shape[-2], 16)
    blocks = [attention(query, key[..., i : i + 16, :], value[..., i : i + 16, :]) for i in starts]
    return sum(blocks[1:], blocks[0]) / len(blocks)


@defect("softmax", "the largest score starts at zero", killed_by="test_huge_scores_give_finite_weights")
def largest_starts_at_zero(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        return absorbed((np.maximum(state[0], 0), *state[1:]), scores, value)

    return online(query, key, value, absorb=absorb)


@defect("softmax", "flashinfer#3717: padding lanes in the denominator", killed_by="test_weights_of_a_query_sum_to_one")
def padding_is_counted(query: Array, key: Array, value: Array) -> Array:
    padding = [(0, 0), (0, 0), (0, -key.shape[-2] % 16), (0, 0)]
    return online(query, np.pad(key, padding), np.pad(value, padding))


@defect("every-word", "pytorch#191937: a last block of one key", killed_by=INSIDE_BOUND)
def last_block_of_one_key_left_out(query: Array, key: Array, value: Array) -> Array:
    n_k = key.shape[-2]
    seen = n_k - 1 if n_k > 1 and n_k % 16 == 1 else n_k
    return online(query, key[..., :seen, :], value[..., :seen, :])


@defect("weigh", "uninitialised lanes of the last block", killed_by=INSIDE_BOUND)
def last_block_keeps_old_lanes(query: Array, key: Array, value: Array) -> Array:
    lanes: list[State] = []

    def absorb(state: State, scores: Array, value: Array) -> State:
        n = scores.shape[-1]
        if lanes:
            scores = np.concatenate([scores, lanes[-1][0][..., n:]], axis=-1)
            value = np.concatenate([value, lanes[-1][1][..., n:, :]], axis=-2)
        lanes.append((scores, value))
        return absorbed(state, scores, value)

    return online(query, key, value, absorb=absorb)


@defect("weigh", "values do not advance with the keys", killed_by=INSIDE_BOUND)
def values_of_the_first_block(query: Array, key: Array, value: Array) -> Array:
    return online(query, key, value[..., np.arange(key.shape[-2]) % 16, :])


@defect("softmax", "wrong only beyond 64 keys", killed_by=INSIDE_BOUND)
def second_block_of_64_weighs_half(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        return absorbed(state, scores - np.log(scores.dtype.type(2)) * bool(state[1].any()), value)

    return online(query, key, value, absorb=absorb, block=64)
