"""The backward pass of attention, in closed form: the gradients of ⟨G, attention(Q, K, V)⟩, in NumPy float64.

With P the weights and G the upstream gradient,

    dV = Pᵀ G     dP = G Vᵀ     δ = Σ_j P dP     dS = P ∘ (dP - δ)     dQ = scale · dS K     dK = scale · dSᵀ Q

With a soft cap c, the logits being c tanh(t / c) of the scaled scores t, dS is multiplied by 1 - tanh²(t / c) before it
meets K and Q.

A key that a query does not see gets nothing from it and gives it nothing, whatever the two hold; a query that sees no
key gets 0 and adds 0.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.matrix import Array

Scalar = TypeVar("Scalar", bound=np.generic)
Gradients: TypeAlias = tuple[Array, Array, Array]
"""dQ (…, n_q, d_k), dK (…, n_k, d_k) and dV (…, n_k, d_v)."""


@np.errstate(all="ignore")
def attention(  # noqa: PLR0913, PLR0917 - what the gradients depend on
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    upstream: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Gradients:
    """Return dQ, dK and dV of attention (…, n_q, d_v) under an upstream gradient of that shape.

    Shapes and options are those of `matrix.attention`; the leading axes of all four arrays are the same.
    """
    query, key, value, upstream = (np.asarray(array, np.float64) for array in (query, key, value, upstream))
    seen = seen_keys(bias, (*query.shape[:-1], key.shape[-2]))
    weights = np.where(seen, matrix.weights(query, key, scale, bias, softcap), 0.0)
    d_value = _sum_seen(transpose(weights), upstream, transpose(seen))
    d_scores = weights * centred(weights, through_weights(upstream, value, seen))
    if softcap is not None:
        scaled = matrix.scaled(matrix.score(query, key), key.shape[-1], scale)
        d_scores = np.where(seen, d_scores * slope_of_cap(scaled, softcap), 0.0)
    d_query = matrix.scaled(_sum_seen(d_scores, key, seen), key.shape[-1], scale)
    d_key = matrix.scaled(_sum_seen(transpose(d_scores), query, transpose(seen)), key.shape[-1], scale)
    return d_query, d_key, d_value


def seen_keys(bias: npt.ArrayLike | None, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Tell which keys each query sees, as `shape` (…, n_q, n_k): those whose bias is not -∞."""
    return np.broadcast_to(True if bias is None else ~np.isneginf(np.asarray(bias, np.float64)), shape)


def through_weights(upstream: Array, value: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Return dP (…, n_q, n_k), the gradients of the weights, 0 where a key is not seen."""
    return np.where(seen, upstream @ transpose(value), 0.0)


def centred(weights: Array, d_weights: Array) -> Array:
    """Return dP - δ (…, n_q, n_k): weights that always sum to 1 feel only what differs from the mean."""
    delta = (weights * d_weights).sum(-1, keepdims=True)
    difference: Array = d_weights - delta
    return difference


@np.errstate(all="ignore")
def slope_of_cap(scaled: Array, cap: float) -> Array:
    """Return the derivative 1 - tanh²(t / c) of a soft cap c at scaled scores t, accurate where it is tiny too."""
    slope: Array = np.cosh(scaled / cap) ** -2.0
    return slope


def transpose(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """Return (…, n, m) as (…, m, n)."""
    return array.swapaxes(-1, -2)


def _sum_seen(parts: Array, rows: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Return parts (…, n, m) times rows (…, m, d), summed over the rows that are seen: 0·NaN is NaN."""
    if np.isfinite(rows).all():
        return parts @ rows
    return matrix.sum_values(np.where(seen[..., None], matrix.weigh(parts, rows), 0.0))
