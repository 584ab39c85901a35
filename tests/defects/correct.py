"""Correct attention in parts, from which defects are built: a defect then shows only what is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from attention_tests import Step

if TYPE_CHECKING:
    from collections.abc import Callable

Array: TypeAlias = Any  # half of NumPy's operators are typed Any, and a defect should read as plainly as it can


def scaled_scores(query: Array, key: Array, scale: float | None = None) -> Array:
    return query @ key.mT * (1 / math.sqrt(key.shape[-1]) if scale is None else scale)


def softmax(scores: Array) -> Array:
    return normalised(np.exp(scores - scores.max(axis=-1, keepdims=True)))


def normalised(weights: Array) -> Array:
    return weights / weights.sum(axis=-1, keepdims=True)


def attention(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return softmax(scaled_scores(query, key, scale)) @ value


def self_attention(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    return attention(x @ w_query, x @ w_key, x @ w_value)


STEPS: dict[Step, Callable[..., Array]] = {
    Step.PROJECT: lambda x, w: x @ w,
    Step.SCORE: lambda query, key: query @ key.mT,
    Step.SCALE: lambda scores, d_k: scores / math.sqrt(d_k),
    Step.SOFTMAX: softmax,
    Step.WEIGH: lambda weights, value: weights[..., None] * value[..., None, :, :],
    Step.SUM: lambda weighted: weighted.sum(axis=-2),
}


def online(
    query: Array, key: Array, value: Array, *, block: int = 16, absorb: Callable[..., tuple[Array, ...]] | None = None
) -> Array:
    """Return attention by an online softmax over blocks of keys; `absorb` updates its state by one block."""
    absorb = absorb or absorbed
    rows = query.shape[:-1]
    largest, total = np.full((*rows, 1), -np.inf, query.dtype), np.zeros((*rows, 1), query.dtype)
    output = np.zeros((*rows, value.shape[-1]), query.dtype)
    for start in range(0, key.shape[-2], block):
        words = slice(start, start + block)
        scores = scaled_scores(query, key[..., words, :])
        largest, total, output = absorb((largest, total, output), scores, value[..., words, :])
    return output / total


def absorbed(state: tuple[Array, ...], scores: Array, value: Array) -> tuple[Array, ...]:
    before, total, output = state
    largest = np.maximum(before, scores.max(axis=-1, keepdims=True))
    rescale, weights = np.exp(before - largest), np.exp(scores - largest)
    return largest, total * rescale + weights.sum(axis=-1, keepdims=True), output * rescale + weights @ value


def to_bits(array: Array, significant: int) -> Array:
    """Round to a number of significant bits: 8 as in bfloat16, 11 as in float16 and tf32, with any exponent."""
    fraction, exponent = np.frexp(array)
    return np.ldexp(np.rint(fraction * 2**significant) / 2**significant, exponent)
