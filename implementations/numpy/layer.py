"""Attention in NumPy with the options of layers: grouped heads, masks, causality, windows, soft caps, log-sum-exp."""

from __future__ import annotations

import numpy as np

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from implementations.numpy.cache import cache_of
from implementations.numpy.whole import at_least_float32, factor, quietly


@quietly
def attention(  # noqa: PLR0913 - the options of layers
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    mask: Array | None = None,
    bias: Array | None = None,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    dropout: float = 0.0,
    return_lse: bool = False,
) -> Array | tuple[Array, Array]:
    """Return the output (batch, heads, n_q, d_v) and, if requested, the log-sum-exp (batch, heads, n_q).

    Raises ValueError for a dropout: this is evaluation.
    """
    _evaluate(dropout)
    inputs = query.dtype
    query, key, value = at_least_float32(query, key, value)
    key, value = (_for_each_query_head(array, query) for array in (key, value))
    logits = _logits(_scaled_scores(query, key, scale), mask, bias, softcap, causal=causal, window=window)
    largest, weights, total = _exponentials(logits)
    output = _average(weights, value) / total
    if not return_lse:
        return output.astype(inputs)
    return output.astype(inputs), (largest + np.log(total))[..., 0]


@quietly
def gradient(  # noqa: PLR0913 - the options of layers
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
    dropout: float = 0.0,
) -> tuple[Array, Array, Array]:
    """Return the gradients of query, key and value, given that of the output.

    Raises ValueError for a dropout: this is evaluation.
    """
    _evaluate(dropout)
    inputs, key_shape, value_shape = query.dtype, key.shape, value.shape
    query, key, value, upstream = at_least_float32(query, key, value, upstream)
    key, value = (_for_each_query_head(array, query) for array in (key, value))
    scores = _scaled_scores(query, key, scale)
    logits = _logits(scores, mask, bias, softcap, causal=causal, window=window)
    _, weights, total = _exponentials(logits)
    weights = weights / total
    d_weights = np.where(np.isneginf(logits), 0, upstream @ value.mT)
    d_scores = weights * (d_weights - (weights * d_weights).sum(axis=-1, keepdims=True))
    if softcap is not None:
        d_scores = np.where(np.isneginf(logits), 0, d_scores * (1 - np.tanh(scores / softcap) ** 2))
    d_scores = d_scores * factor(query, scale)
    d_query, d_key, d_value = _average(d_scores, key), d_scores.mT @ query, weights.mT @ upstream
    d_key, d_value = _summed_over_groups(d_key, key_shape), _summed_over_groups(d_value, value_shape)
    return d_query.astype(inputs), d_key.astype(inputs), d_value.astype(inputs)


def _evaluate(dropout: float) -> None:
    if dropout:
        raise ValueError("dropout is for training")


def _scaled_scores(query: Array, key: Array, scale: float | None) -> Array:
    scores: Array = query @ key.mT * factor(query, scale)
    return scores


def _logits(  # noqa: PLR0913 - the options of layers
    scores: Array,
    mask: Array | None,
    bias: Array | None,
    softcap: float | None,
    *,
    causal: bool,
    window: int | None,
) -> Array:
    """Return the capped and biased scores, -∞ for hidden keys."""
    if softcap is not None:
        scores = softcap * np.tanh(scores / softcap)
    if bias is not None:
        scores = scores + bias
    seen = _seen(scores, mask, causal=causal, window=window)
    return np.where(seen & ~np.isneginf(0 if bias is None else bias), scores, -np.inf)


def _exponentials(logits: Array) -> tuple[Array, Array, Array]:
    """Return the largest logit of each query, the exponentials relative to it, and their denominator."""
    largest = logits.max(axis=-1, keepdims=True, initial=-np.inf)
    weights = np.exp(logits - np.where(np.isneginf(largest), 0, largest))
    total = weights.sum(axis=-1, keepdims=True)
    # A fully masked row: 0 divided by 1 is 0.
    return largest, weights, np.where(total == 0, 1, total)


def _for_each_query_head(array: Array, query: Array) -> Array:
    if array.shape[1] in (0, query.shape[1]):
        return array
    return np.repeat(array, query.shape[1] // array.shape[1], axis=1)


def _summed_over_groups(array: Array, shape: tuple[int, ...]) -> Array:
    """Return the sum of the gradients over the query heads that share a key head."""
    if array.shape == shape:
        return array
    batch, heads, *rest = shape
    summed: Array = array.reshape(batch, heads, array.shape[1] // heads, *rest).sum(axis=2)
    return summed


def _seen(scores: Array, mask: Array | None, *, causal: bool, window: int | None) -> Array:
    """Return the visible keys of each query, those that no option hides: booleans (batch, heads, n_q, n_k)."""
    seen = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    ahead = np.arange(scores.shape[-1]) - np.arange(scores.shape[-2])[:, None]
    if causal:
        seen = seen & (ahead <= 0)
    return seen if window is None else seen & (np.abs(ahead) < window)


def _average(weights: Array, value: Array) -> Array:
    """Return the sum of the weighted values, without those of weight zero, since 0 · NaN is NaN."""
    finite = np.isfinite(value)
    total: Array = weights @ np.where(finite, value, 0)
    if finite.all():
        return total
    weighted = np.where(weights[..., None] != 0, weights[..., None] * value[..., None, :, :], 0)
    return np.where((weights != 0) @ ~finite, weighted.sum(axis=-2), total)


LAYER = Implementation(
    name="numpy-layer",
    attention=attention,
    gradient=gradient,
    cache=cache_of(attention),
    supports=frozenset(Feature),
    dtypes={"float64": Precision.float64(), "float32": Precision.float32(), "float16": Precision.upcast()},
    dialect=Dialect(fully_masked=FullyMasked.ZEROS),
)
