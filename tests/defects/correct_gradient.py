"""The correct gradient of attention in parts, from which defects are built."""

from __future__ import annotations

import math

import numpy as np

from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import ahead, capped, for_each_query_head, hidden, seen_by, softmax

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
    softcap: float | None = None,
) -> Gradients:
    seen = seen_by(ahead(query, key), mask=mask, causal=causal, window=window)
    d_query, d_key, d_value = of_each_head(query, key, value, upstream, seen, bias=bias, scale=scale, softcap=softcap)
    return d_query, summed_over_groups(d_key, key), summed_over_groups(d_value, value)


def of_each_head(
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    seen: Array,
    *,
    bias: Array | None = None,
    scale: float | None = None,
    softcap: float | None = None,
) -> Gradients:
    """Return the gradients, those of key and value for each query head: (batch, heads, n_k, ·)."""
    key, value = (for_each_query_head(array, query) for array in (key, value))
    scores = scaled_scores(query, key, scale)
    logits = capped(scores, softcap)
    # NaN - ∞ is NaN, and a bias of -∞ hides.
    logits = logits if bias is None else np.where(np.isneginf(bias), bias, logits + bias)
    weights = softmax(hidden(logits, seen))
    of = d_scores(weights, d_weights(weights, value, upstream))
    # A hidden score may be NaN, and 0 · NaN is NaN.
    of = of if softcap is None else np.where(weights > 0, of * slope_of_cap(scores, softcap), 0)
    return of_scores(of, weights, query, key, upstream, scale)


def slope_of_cap(scores: Array, softcap: float) -> Array:
    return 1 - np.tanh(scores / softcap) ** 2


def summed_over_groups(array: Array, key: Array) -> Array:
    """Return gradients (batch, heads, n_k, ·) of each query head as those of the key heads."""
    return array.reshape(*key.shape[:2], -1, *array.shape[2:]).sum(axis=2)


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
