"""Self-attention, all tokens at once, in NumPy float64. Clauses `pack` and `matrix`, section 3.2.

The steps of the document come first, and the whole that they make; then what the document leaves out and layers have:
a scale, a soft cap, a bias, the log-sum-exp.

Every function takes any leading axes `…`, such as batch and heads: each is another independent run. Inputs are arrays
of any float type; all arithmetic is float64, and nothing warns.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]


def _float64(array: npt.ArrayLike) -> Array:
    return np.asanyarray(array, np.float64)


@np.errstate(all="ignore")
def project(x: npt.ArrayLike, w: npt.ArrayLike) -> Array:
    """Return X W: embeddings (…, n, d_model) times a matrix (d_model, d), as (…, n, d)."""
    return _float64(x) @ _float64(w)


@np.errstate(all="ignore")
def score(query: npt.ArrayLike, key: npt.ArrayLike) -> Array:
    """Return Q Kᵀ: queries (…, n_q, d_k) and keys (…, n_k, d_k) to scores (…, n_q, n_k)."""
    return _float64(query) @ _float64(key).swapaxes(-1, -2)


@np.errstate(all="ignore")
def scale(scores: npt.ArrayLike, d_k: int) -> Array:
    """Return the scores divided by √d_k: the division that the document's matrix section leaves out."""
    return _float64(scores) / math.sqrt(d_k)


@np.errstate(all="ignore")
def softmax(scores: npt.ArrayLike) -> Array:
    """Return the weights (…, n_q, n_k), each row summing to 1. A row of -∞, a query that sees no key, gives NaN."""
    scores = _float64(scores)
    exponentials: Array = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
    total: Array = exponentials.sum(-1, keepdims=True)
    return exponentials / total


@np.errstate(all="ignore")
def weigh(weights: npt.ArrayLike, value: npt.ArrayLike) -> Array:
    """Return every value times its weight: (…, n_q, n_k) and (…, n_k, d_v) to (…, n_q, n_k, d_v)."""
    return _float64(weights)[..., None] * _float64(value)[..., None, :, :]


@np.errstate(all="ignore")
def sum_values(weighted: npt.ArrayLike) -> Array:
    """Return the weighted values (…, n_q, n_k, d_v) summed over the keys, (…, n_q, d_v)."""
    total: Array = _float64(weighted).sum(-2)
    return total


@np.errstate(all="ignore")
def attention(  # noqa: PLR0913, PLR0917 - what attention depends on
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Array:
    """Return softmax(Q Kᵀ / √d_k + bias) V, (…, n_q, d_v), from (…, n_q, d_k), (…, n_k, d_k) and (…, n_k, d_v).

    The options are those of `logits`. A query that sees no key gets NaN.
    """
    hidden = None if bias is None else np.isneginf(_float64(bias))
    return average(weights(query, key, scale, bias, softcap), value, hidden)


@np.errstate(all="ignore")
def average(weights: npt.ArrayLike, value: npt.ArrayLike, hidden: npt.NDArray[np.bool_] | None = None) -> Array:
    """Return the sum (…, n_q, d_v) of the weighted values: `weigh` and `sum_values` in one product, NaN without keys.

    A value that is hidden, (…, n_q, n_k), is left out and not weighed by 0: 0·NaN is NaN.
    """
    weights, value = _float64(weights), _float64(value)
    if value.shape[-2] == 0:
        return sum_values(weigh(weights, value)) * np.nan
    if hidden is None or np.isfinite(value).all():
        return weights @ value
    return sum_values(np.where(hidden[..., None], 0.0 * weights[..., None], weigh(weights, value)))


def self_attention(x: npt.ArrayLike, w_query: npt.ArrayLike, w_key: npt.ArrayLike, w_value: npt.ArrayLike) -> Array:
    """Return the outputs (…, n, d_v) of sentences (…, n, d_model) under three learned matrices.

    `w_query` and `w_key` are (d_model, d_k), `w_value` is (d_model, d_v).
    """
    return attention(project(x, w_query), project(x, w_key), project(x, w_value))


def weights(
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Array:
    """Return the weights (…, n_q, n_k): the softmax of `logits`, whose shapes and options these are."""
    return softmax(logits(query, key, scale, bias, softcap))


@np.errstate(all="ignore")
def logits(
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Array:
    """Return what goes into the softmax, (…, n_q, n_k), of keys (…, n_k, d_k) and queries (…, n_q, d_k).

    `scale` is a factor on the scores, in place of 1/√d_k. `softcap` c makes c·tanh(s / c) of a scaled score s. `bias`
    broadcasts to (…, n_q, n_k) and is added after that; where it is -∞ the key is left out.
    """
    scores = scaled(score(query, key), np.shape(key)[-1], scale)
    if softcap is not None:
        scores = soft_cap(scores, softcap)
    return scores if bias is None else add_bias(scores, bias)


@np.errstate(all="ignore")
def scaled(scores: Array, d_k: int, factor: float | None) -> Array:
    """Return the scores times a factor, or divided by √d_k where there is none."""
    return scale(scores, d_k) if factor is None else scores * factor


@np.errstate(all="ignore")
def soft_cap(scores: npt.ArrayLike, cap: float) -> Array:
    """Return the scores squeezed between -cap and cap."""
    capped: Array = cap * np.tanh(_float64(scores) / cap)
    return capped


@np.errstate(all="ignore")
def add_bias(scores: Array, bias: npt.ArrayLike) -> Array:
    """Return the scaled scores (…, n_q, n_k) plus the bias, -∞ where a key is left out, whatever that key holds."""
    bias = _float64(bias)
    return np.where(np.isneginf(bias), -np.inf, scores + bias)


@np.errstate(all="ignore")
def log_sum_exp(scores: npt.ArrayLike) -> Array:
    """Return log Σ exp (…, n_q) of scores (…, n_q, n_k): -∞ for a row of -∞, a query that sees no key."""
    scores = _float64(scores)
    largest = scores.max(-1, keepdims=True, initial=-np.inf)
    largest = np.where(np.isneginf(largest), 0.0, largest)
    total: Array = (largest + np.log(np.exp(scores - largest).sum(-1, keepdims=True)))[..., 0]
    return total
