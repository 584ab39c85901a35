"""The bounds on single steps of the document: the inequality of `error_bound`, one piece of it at a time.

    project, score    (1+u_in)² (1+u)^d - 1 of |x|·|w|       a dot product of d terms, in any order
    scale             (1+u)⁶ - 1 of |s| / √d_k               root, reciprocal, product, and constants that are rounded
    softmax           Δ = 0: the scores are given, and their largest is subtracted before anything else happens; then D
                      and E_w for values that are the identity matrix, since the output for those is the weights; then
                      ψ, as nothing is summed but the denominator
    weigh             (1+u_in)² (1+u) - 1 of |p v|           one product
    sum_values        (1+u)^n - 1 of Σ |y|                   n additions, in any order

and everywhere what underflow and flushing take away. The inputs of a step are exact in the dtype. A step makes the
roundings above in the accumulation format u, after re-rounding its inputs if the arithmetic does (u_in); where it
stores scores or weights in a format coarser than the dtype, one more; and at the end that of its result to the dtype,
which `Interval` counts. Nothing is promised where a sum or product may overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.bounds.arithmetic import ORACLE, Roundings, growth
from reference.bounds.attention_error import dot_lost, quotient_error
from reference.bounds.formats import FORMATS, Array, Format, half_ulp
from reference.bounds.identity_mean import IdentityMean
from reference.bounds.interval import Errors, Interval, widened
from reference.bounds.softmax_error import Softmax, weight_error


@np.errstate(all="ignore")
def project(x: npt.ArrayLike, w: npt.ArrayLike, roundings: Roundings) -> Interval:
    """Return what may come of projecting x (…, n, d_model) by w (d_model, d)."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    return _around(x @ w, partial(_dot_error, x, w), roundings)


@np.errstate(all="ignore")
def projection_error(x: npt.ArrayLike, w: npt.ArrayLike, roundings: Roundings) -> Array:
    """Return the error (…, n, d) of a projection that is rounded to `dtype` and used further, ∞ where it overflows."""
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    error = _dot_error(x, w, roundings)
    largest = np.abs(x @ w) + error
    error = error + half_ulp(largest, roundings.dtype) + roundings.lost_inputs
    return np.where(largest >= FORMATS[roundings.dtype].max, np.inf, error)


@np.errstate(all="ignore")
def score(query: npt.ArrayLike, key: npt.ArrayLike, roundings: Roundings) -> Interval:
    """Return what may come of scoring keys (…, n_k, d_k) for queries (…, n_q, d_k)."""
    query, key = np.asarray(query, np.float64), np.asarray(key, np.float64).swapaxes(-1, -2)
    return _around(query @ key, partial(_dot_error, query, key), roundings, roundings.scores)


def _dot_error(x: Array, w: Array, roundings: Roundings) -> Array:
    x, w = np.abs(x), np.abs(w)
    k = growth((2, roundings.u_inputs), (x.shape[-1], roundings.u))
    sizes = x @ w
    error = k * sizes + dot_lost(x, w.swapaxes(-1, -2), roundings)
    return np.where((1 + k) * sizes >= roundings.accumulate.max, np.inf, error)


@np.errstate(all="ignore")
def scale(scores: npt.ArrayLike, d_k: int, roundings: Roundings) -> Interval:
    """Return what may come of dividing scores by √d_k."""
    value = matrix.scale(scores, d_k)

    def error(roundings: Roundings) -> Array:
        return growth((6, roundings.u)) * np.abs(value) + 4 * roundings.lost + roundings.lost_inputs

    return _around(value, error, roundings, roundings.scores)


@np.errstate(all="ignore")
def softmax(scores: npt.ArrayLike, roundings: Roundings) -> Interval:
    """Return what may come of the softmax of scores (…, n_q, n_k) over the keys, however large the scores are."""
    scores = np.asarray(scores, np.float64)
    n_keys = scores.shape[-1]
    if n_keys == 0:
        return Interval(scores, scores, roundings.dtype, roundings.flush)
    weights = Softmax.of(scores)
    mean = IdentityMean.of(weights)

    def error(roundings: Roundings) -> Errors:
        logit_error = np.full_like(scores, 4 * roundings.lost + roundings.lost_inputs)
        moved = weight_error(weights, logit_error, roundings)
        largest = mean.error(weights, moved)
        rescales = roundings.rescales(n_keys)
        lost = roundings.lost * (4 + 2 * rescales) * (1 + 1e-3 + 2 * roundings.exp_error)
        return quotient_error(weights.weights, largest, n_keys, roundings) + lost, moved.largest

    declared, most = error(roundings)
    declared = _stored(weights.weights, declared, roundings.weights, roundings)
    return widened(weights.weights, (declared, most), error(ORACLE), roundings)


@np.errstate(all="ignore")
def weigh(weights: npt.ArrayLike, value: npt.ArrayLike, roundings: Roundings) -> Interval:
    """Return what may come of weighing values (…, n_k, d_v) by weights (…, n_q, n_k)."""
    weights, value = np.asarray(weights, np.float64), np.asarray(value, np.float64)
    weighted = matrix.weigh(weights, value)
    sizes = np.abs(weights)[..., None] + np.abs(value)[..., None, :, :]

    def error(roundings: Roundings) -> Array:
        k = growth((2, roundings.u_inputs), (1, roundings.u))
        lost = roundings.lost + roundings.lost_inputs * (sizes + roundings.lost_inputs)
        overflows = (1 + k) * np.abs(weighted) >= roundings.accumulate.max
        return np.where(overflows, np.inf, k * np.abs(weighted) + lost)

    return _around(weighted, error, roundings)


@np.errstate(all="ignore")
def sum_values(weighted: npt.ArrayLike, roundings: Roundings) -> Interval:
    """Return what may come of summing weighted values (…, n_q, n_k, d_v) over the keys."""
    weighted = np.asarray(weighted, np.float64)
    n_keys, sizes = weighted.shape[-2], np.abs(weighted).sum(-2)

    def error(roundings: Roundings) -> Array:
        k = growth((2, roundings.u_inputs), (n_keys, roundings.u))
        lost = n_keys * (roundings.lost + roundings.lost_inputs)
        return np.where((1 + k) * sizes >= roundings.accumulate.max, np.inf, k * sizes + lost)

    return _around(weighted.sum(-2), error, roundings)


def _around(
    value: Array, error: Callable[[Roundings], Array], roundings: Roundings, storage: Format | None = None
) -> Interval:
    """Return the interval around a result of the oracle that was stored, if at all, in `storage`."""
    declared = _stored(value, error(roundings), storage, roundings)
    return widened(value, (declared, 0.0), (error(ORACLE), 0.0), roundings)


def _stored(value: Array, error: Array, storage: Format | None, roundings: Roundings) -> Array:
    """Return the error after one more rounding, if the result was stored in a format coarser than the dtype."""
    if storage is None or storage.digits >= FORMATS[roundings.dtype].digits:
        return error
    largest = np.abs(value) + error
    lost = storage.smallest_normal if roundings.flush else 0.0
    return np.where(largest >= storage.max, np.inf, error + half_ulp(largest, storage) + lost)
