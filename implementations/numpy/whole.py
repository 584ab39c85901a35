"""Attention in NumPy: all scores at once, and online over blocks of keys."""

from __future__ import annotations

import math

import numpy as np

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision

# An overflow, and the NaN it may lead to, is an answer for the suite to judge. Only NumPy would also warn of it.
quietly = np.errstate(all="ignore")


@quietly
def attention(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    """Return softmax(scale · Q Kᵀ) V, of shape (…, n_q, d_v)."""
    inputs = query.dtype
    query, key, value = at_least_float32(query, key, value)
    scores = query @ key.mT * factor(query, scale)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    output: Array = weights @ value
    return output.astype(inputs)


@quietly
def online_attention(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    """Return the same, of shape (…, n_q, d_v), holding the scores of one block of keys at a time.

    The largest score is known only after the last block, so the sums are kept relative to the largest so far, and
    rescaled whenever a block brings a larger one (Milakov and Gimelshein 2018; Dao et al. 2022).
    """
    inputs, block = query.dtype, 16
    query, key, value = at_least_float32(query, key, value)
    query = query * factor(query, scale)
    largest = np.full((*query.shape[:-1], 1), -np.inf, query.dtype)
    total = np.zeros_like(largest)
    output = np.zeros((*query.shape[:-1], value.shape[-1]), query.dtype)
    for start in range(0, key.shape[-2], block):
        words = slice(start, start + block)
        scores = query @ key[..., words, :].mT
        before, largest = largest, np.maximum(largest, scores.max(axis=-1, keepdims=True))
        weights, rescale = np.exp(scores - largest), np.exp(before - largest)
        total = total * rescale + weights.sum(axis=-1, keepdims=True)
        output = output * rescale + weights @ value[..., words, :]
    return (output / total).astype(inputs)


def at_least_float32(*arrays: Array) -> tuple[Array, ...]:
    """Return arrays to compute with: NumPy rounds float16 after every operation, and has no score beyond 65504.

    They lie one row after the other: NumPy multiplies others without BLAS, many times slower.
    """
    return tuple(np.ascontiguousarray(array, np.result_type(array, np.float32)) for array in arrays)


def factor(query: Array, scale: float | None) -> float:
    """Return the factor on the scores: `scale`, or 1/√d_k where none is given."""
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale


_SUPPORTS = frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS})
_DTYPES = {"float64": Precision.float64(), "float32": Precision.float32(), "float16": Precision.upcast()}

WHOLE = Implementation(name="numpy", attention=attention, supports=_SUPPORTS, dtypes=_DTYPES)
ONLINE = Implementation(name="numpy-online", attention=online_attention, supports=_SUPPORTS, dtypes=_DTYPES)
