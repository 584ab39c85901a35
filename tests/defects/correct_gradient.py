"""The correct gradient of attention in parts, from which defects are built."""

from __future__ import annotations

import math

import numpy as np

from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import ahead, hidden, seen_by, softmax

Gradients = tuple[Array, Array, Array]


def gradient(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    *,
    scale: float | None = None,
    mask: Array | None = None,
    bias: Array | None = None,
    causal: bool = False,
    window: int | None = None,
) -> Gradients:
    seen = seen_by(ahead(query, key), mask=mask, causal=causal, window=window)
    scores = scaled_scores(query, key, scale)
    weights = softmax(hidden(scores if bias is None else scores + bias, seen))
    return through(weights, query, key, value, upstream, scale)


def through(  # noqa: PLR0917 - the inputs of a backward pass
    weights: Array, query: Array, key: Array, value: Array, upstream: Array, scale: float | None = None
) -> Gradients:
    return of_scores(d_scores(weights, d_weights(weights, value, upstream)), weights, query, key, upstream, scale)


def d_weights(weights: Array, value: Array, upstream: Array) -> Array:
    return np.where(weights > 0, upstream @ value.mT, 0)


def d_scores(weights: Array, of_weights: Array) -> Array:
    return weights * (of_weights - (weights * of_weights).sum(axis=-1, keepdims=True))


def of_scores(  # noqa: PLR0917 - the inputs of a backward pass
    of_scores: Array, weights: Array, query: Array, key: Array, upstream: Array, scale: float | None = None
) -> Gradients:
    scaled = of_scores * (1 / math.sqrt(key.shape[-1]) if scale is None else scale)
    # Non-finite numbers are hidden, and 0 · NaN is NaN.
    return scaled @ np.where(np.isfinite(key), key, 0), scaled.mT @ query, weights.mT @ upstream
