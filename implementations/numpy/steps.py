"""The document's steps in NumPy, one function each, and the whole that they compose to."""

from __future__ import annotations

import math

import numpy as np

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation

# An overflow, and the NaN it may lead to, is for the suite to judge. Only NumPy would warn of it too.
_quietly = np.errstate(over="ignore", invalid="ignore")


@_quietly
def project(x: Array, w: Array) -> Array:
    """Return the query, key or value of every token: (n, d_model), (d_model, d) → (n, d)."""
    return x @ w


@_quietly
def score(query: Array, key: Array) -> Array:
    """Return the dot product of every query with every key, (…, n_q, n_k)."""
    return query @ key.mT


@_quietly
def scale_scores(scores: Array, d_k: int) -> Array:
    """Return the scores divided by the square root of the width of the keys, (…, n_q, n_k)."""
    return scores / math.sqrt(d_k)


@_quietly
def softmax(scores: Array) -> Array:
    """Return the weight of every key for every query, (…, n_q, n_k)."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


@_quietly
def weigh(weights: Array, value: Array) -> Array:
    """Return every value vector multiplied by its weight, (…, n_q, n_k, d_v)."""
    return weights[..., None] * value[..., None, :, :]


@_quietly
def sum_words(weighted: Array) -> Array:
    """Return the sum of the weighted values over the keys, (…, n_q, d_v)."""
    outputs: Array = weighted.sum(axis=-2)
    return outputs


@_quietly
def attention(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    """Return the output of every query, (…, n_q, d_v)."""
    scores = score(query, key)
    scaled = scale_scores(scores, key.shape[-1]) if scale is None else scores * scale
    return sum_words(weigh(softmax(scaled), value))


def self_attention(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
    """Return the output of every token of a sentence: (n, d_model), matrices (d_model, d) → (n, d_v)."""
    return attention(project(x, w_query), project(x, w_key), project(x, w_value))


# No float16: a score beyond 65504 would be infinite before it is scaled.
STEPS = Implementation(
    name="numpy-steps",
    attention=attention,
    self_attention=self_attention,
    project=project,
    score=score,
    scale=scale_scores,
    softmax=softmax,
    weigh=weigh,
    sum=sum_words,
    supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS}),
)
