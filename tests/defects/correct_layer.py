"""Correct attention with the options of layers, in parts, from which defects are built."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from attention_tests import Alignment
from tests.defects.correct import Array, scaled_scores

State = tuple[Array, Array, Array]


def layer(
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
    alignment: Alignment = Alignment.TOP_LEFT,
) -> Array:
    """Return the output, and the log-sum-exp if it is requested."""
    assert dropout == 0
    seen = seen_by(ahead(query, key, alignment), mask=mask, causal=causal, window=window)
    key, value = (for_each_query_head(array, query) for array in (key, value))
    scores = capped(scaled_scores(query, key, scale), softcap)
    # NaN - ∞ is NaN, and a bias of -∞ hides.
    scores = hidden(scores if bias is None else np.where(np.isneginf(bias), bias, scores + bias), seen)
    output = average(softmax(scores), value)
    return (output, log_sum_exp(scores)) if return_lse else output


def layer_of_a_cache(
    query: Array,
    key: Array,
    value: Array,
    *,
    mask: Array | None = None,
    causal: bool = False,
    window: int | None = None,
) -> Array:
    return layer(query, key, value, mask=mask, causal=causal, window=window, alignment=Alignment.BOTTOM_RIGHT)


def layer_of_a_decoder(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    if window is not None and not causal:
        raise NotImplementedError("a window holds the last words")
    return layer(query, key, value, causal=causal, window=window)


def for_each_query_head(array: Array, query: Array) -> Array:
    group = query.shape[1] // array.shape[1] if array.shape[1] else 1
    return np.repeat(array, group, axis=1)


def ahead(query: Array, key: Array, alignment: Alignment = Alignment.TOP_LEFT) -> Array:
    """Return how many positions each key stands after the token of each query."""
    n_q, n_k = query.shape[-2], key.shape[-2]
    first = n_k - n_q if alignment is Alignment.BOTTOM_RIGHT else 0
    return np.arange(n_k) - np.arange(first, first + n_q)[:, None]


def seen_by(distance: Array, *, mask: Array | None = None, causal: bool = False, window: int | None = None) -> Array:
    seen = np.ones_like(distance, dtype=bool) if mask is None else mask
    if causal:
        seen = seen & (distance <= 0)
    return seen if window is None else seen & (abs(distance) < window)


def capped(scores: Array, softcap: float | None) -> Array:
    return scores if softcap is None else softcap * np.tanh(scores / softcap)


def hidden(scores: Array, seen: Array | None) -> Array:
    """Return the scores with -∞ for hidden keys."""
    return scores if seen is None else np.where(seen, scores, -np.inf)


def softmax(scores: Array) -> Array:
    return divided(np.exp(scores - largest_of(scores)))


def largest_of(scores: Array) -> Array:
    """Return the largest score of each query, and 0 for a fully masked row, since -∞ − -∞ is NaN."""
    largest = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    return np.where(np.isneginf(largest), 0, largest)


def divided(weights: Array) -> Array:
    """Return the exponentials divided by their sum; the weights of a fully masked row stay zero."""
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def average(weights: Array, value: Array) -> Array:
    """Return the weighted sum without non-finite values of weight zero: 0 · NaN is NaN."""
    finite = np.isfinite(value)
    total = weights @ np.where(finite, value, 0)
    if finite.all():
        return total
    weighted = np.where(weights[..., None] > 0, weights[..., None] * value[..., None, :, :], 0)
    return np.where((weights > 0) @ ~finite, weighted.sum(axis=-2), total)


def log_sum_exp(scores: Array) -> Array:
    largest = largest_of(scores)
    return np.log(np.exp(scores - largest).sum(axis=-1)) + largest[..., 0]


def online_layer(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, absorb: Callable[..., State] | None = None
) -> Array:
    """Return attention by an online softmax over blocks of eight keys; `absorb` updates its state by one block."""
    scores = hidden(scaled_scores(query, key), mask)
    rows, zeros = query.shape[:-1], np.zeros_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    state = np.full((*rows, 1), -np.inf, query.dtype), np.zeros((*rows, 1), query.dtype), zeros
    for start in range(0, key.shape[-2], 8):
        words = slice(start, start + 8)
        state = (absorb or absorbed)(state, scores[..., words], value[..., words, :])
    _, total, output = state
    return output / np.where(total == 0, 1, total)


def absorbed(state: State, scores: Array, value: Array) -> State:
    before, total, output = state
    largest = np.maximum(before, scores.max(axis=-1, keepdims=True))
    shift = np.where(np.isneginf(largest), 0, largest)
    rescale, weights = np.exp(before - shift), np.exp(scores - shift)
    return largest, total * rescale + weights.sum(axis=-1, keepdims=True), output * rescale + weights @ value
