"""The inequality of `error_bound`, term by term, for one forward pass under any arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.formats import Array, Format
from reference.bounds.identity_mean import IdentityMean
from reference.bounds.merge_error import kernel_weight_error, term_error
from reference.bounds.softmax_error import (
    LARGEST,
    Mean,
    Softmax,
    WeightError,
    largest_size,
    log_sum_exp_error,
)


@dataclass(frozen=True)
class InputErrors:
    """Elementwise bounds on the errors of a query, a key and a value that were themselves computed."""

    query: Array
    key: Array
    value: Array


@dataclass(frozen=True)
class ForwardPass:
    """One attention (…, n_q, d_k), (…, n_k, d_k), (…, n_k, d_v), n_k ≥ 1, evaluated in float64 for every arithmetic.

    Without values it is of the weights themselves.
    """

    query: Array
    key: Array
    scale: float
    scaled: Array
    """|t|, the scaled scores."""
    softcap: float | None
    capped: Array
    """|c tanh(t / c)|, or |t| where nothing is capped."""
    biased: bool
    softmax: Softmax
    mean: Mean | IdentityMean

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what attention depends on
        cls,
        query: Array,
        key: Array,
        value: Array | None,
        scale: float | None,
        bias: npt.ArrayLike | None,
        softcap: float | None = None,
    ) -> Self:
        """Evaluate the matrix path, and keep what the bound needs of it."""
        d_k = query.shape[-1]
        scaled = matrix.scaled(matrix.score(query, key), d_k, scale)
        capped = scaled if softcap is None else matrix.soft_cap(scaled, softcap)
        softmax = Softmax.of(capped if bias is None else matrix.add_bias(capped, bias))
        factor = (1 / math.sqrt(d_k) if d_k else math.inf) if scale is None else scale
        return cls(
            query=np.abs(query),
            key=np.abs(key),
            scale=abs(factor),
            scaled=np.abs(scaled),
            softcap=softcap,
            capped=np.abs(capped),
            biased=bias is not None,
            softmax=softmax,
            mean=IdentityMean.of(softmax) if value is None else Mean.of(softmax, value),
        )

    def error(self, roundings: Roundings, inputs: InputErrors | None = None) -> tuple[Array, Array]:
        """Return E (…, n_q, d_v), before the final rounding, and the largest D (…, n_q, 1) of each query."""
        logit_error, overflows = self.logit_error(roundings, inputs)
        weights = kernel_weight_error(self.softmax, logit_error, roundings)
        error = output_error(self.softmax, self.mean, weights, roundings, None if inputs is None else inputs.value)
        overflows |= ~(np.abs(self.softmax.largest) + weights.largest_logit < roundings.largest_score)
        return np.where(overflows, np.inf, error), weights.largest

    def log_sum_exp_error(self, roundings: Roundings) -> tuple[Array, Array]:
        """Return the error of log Σ exp (…, n_q), before the final rounding, and the largest D of each query."""
        logit_error, overflows = self.logit_error(roundings)
        terms = term_error(self.softmax, logit_error, roundings)
        error = log_sum_exp_error(self.softmax, terms, roundings)
        return np.where(overflows[..., 0], np.inf, error), terms.largest[..., 0]

    def logit_error(
        self, roundings: Roundings, inputs: InputErrors | None = None
    ) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return Δ (…, n_q, n_k), and which queries (…, n_q, 1) may meet a score too large for its format."""
        query, key, inherited = self.query, self.key, None
        if inputs is not None:
            query, key = self.query + inputs.query, self.key + inputs.key
            inherited = inputs.query @ key.swapaxes(-1, -2) + self.query @ inputs.key.swapaxes(-1, -2)
        products = query @ key.swapaxes(-1, -2)
        k1, k2, k3 = self._growths(roundings)
        dot = k1 * self.scale * products
        if inherited is not None:
            dot += self.scale * inherited
        scaled = self._capped_error(dot + k2 * (self.scaled + dot), roundings)
        error = scaled + k3 * (self.softmax.sizes + scaled) + self._lost(query, key, roundings)
        largest = products.max(-1, keepdims=True, where=self.softmax.visible, initial=0.0)
        reached = (1 + k1) * max(1.0, self.scale) * largest
        prescaled = self.scale * query.max(-1, keepdims=True, initial=0.0)
        fits = (reached < roundings.largest_score) & (prescaled < roundings.largest_query)
        return error, ~fits  # so that NaN, which is neither, overflows

    def _capped_error(self, error: Array, roundings: Roundings) -> Array:
        """Return the error of scaled scores after the soft cap, which brings no two numbers farther apart."""
        if self.softcap is None:
            return error
        error = np.minimum(error, 2 * self.softcap)
        # The quotient t / c, its tanh and the product may each be stored.
        rounded = growth((4, roundings.u), (3, roundings.u_scores)) * (self.capped + error)
        # A tanh that is made of exponentials is as exact as they are, next to 1 and not to its own size.
        capped: Array = error + rounded + self.softcap * (roundings.exp_error + roundings.lost)
        return capped

    def _growths(self, roundings: Roundings) -> tuple[float, float, float]:
        u, u_scores = roundings.u, roundings.u_scores
        return (
            growth((2, roundings.u_inputs), (2, roundings.u_prescale), (self.query.shape[-1], u)),
            growth((6, u), (2, u_scores)),
            growth((3, u), (int(self.biased), u_scores)),
        )

    def _lost(self, query: Array, key: Array, roundings: Roundings) -> Array:
        """Return η_s: what underflow takes from products, from the inputs and from the scaled and stored scores."""
        dot = dot_lost(query, key, roundings, roundings.lost_prescale)
        lost: Array = max(1.0, self.scale) * (dot + 4 * roundings.lost + 3 * roundings.lost_scores)
        return lost


def dot_lost(query: Array, key: Array, roundings: Roundings, lost_factor: float = 0.0) -> Array:
    """Return what underflow takes from the dot products of |q| (…, n_q, d) and |k| (…, n_k, d), as (…, n_q, n_k).

    Each of d products loses up to a unit of underflow, and each flushed factor its size times the other factor.
    """
    d = query.shape[-1]
    others = query.sum(-1)[..., :, None] + key.sum(-1)[..., None, :] + d * roundings.lost_inputs
    lost: Array = d * roundings.lost + (roundings.lost_inputs + lost_factor) * others
    return lost


def output_error(
    softmax: Softmax,
    mean: Mean | IdentityMean,
    weights: WeightError,
    roundings: Roundings,
    value_error: Array | None = None,
) -> Array:
    """Return E (…, n_q, d_v) of `error_bound` from the errors of the weights, ∞ where a sum may overflow."""
    n_keys = softmax.weights.shape[-1]
    rescales = roundings.rescales(n_keys)
    moved = mean.error(softmax, weights)
    if value_error is not None:
        moved = moved + largest_size(softmax, value_error, weights)
    stored = int(not roundings.sum_stored)
    sums = n_keys + rescales + 2 * bool(roundings.merged(n_keys))
    nu = growth((stored, roundings.u_weights), (2, roundings.u_inputs), (sums, roundings.u))
    numerator = nu * mean.largest(softmax, weights, value_error)
    seen = mean.weighed(softmax.visible, value_error)
    lost = roundings.lost * (seen * (2 + 2 * rescales) + n_keys + rescales + 2) * _room(roundings)
    lost = lost + 2 * roundings.lost_inputs
    if roundings.weights is not None:
        lost = lost + _lost_storing(softmax, weights, roundings) * mean.weighed(
            _underflows(softmax, weights, roundings, roundings.weights), value_error
        )
    error = quotient_error(mean.output, moved + numerator, n_keys, roundings) + lost
    # Where nothing is apart, an error of ∞ stays one, and does not become 0 · ∞.
    error = error + np.where(weights.apart > 0, weights.apart * (np.abs(mean.output) + error), 0.0)
    return np.where(seen * (1 + nu) * (1 + weights.apart) >= roundings.accumulate.max, np.inf, error)


def quotient_error(output: Array, numerator: Array, n_keys: int, roundings: Roundings) -> Array:
    """Return the error of a quotient: that of its numerator, and ψ for what the sum of weights and the division add."""
    rescales = roundings.rescales(n_keys)
    sigma = growth((n_keys - 1 + rescales, roundings.u)) + n_keys * (1 + rescales) * roundings.lost
    if sigma >= 1:
        return np.full_like(numerator, np.inf)
    psi = math.expm1(2 * math.log1p(roundings.u) - math.log1p(-sigma))
    return numerator + psi * (np.abs(output) + numerator)


def _underflows(softmax: Softmax, weights: WeightError, roundings: Roundings, stored: Format) -> Array:
    """Return which weights may underflow where they are stored, (…, n_q, n_k)."""
    smallest = weights.shrunk if roundings.normalised else softmax.total * weights.shrunk
    return np.asarray(softmax.visible & (smallest < stored.smallest_normal * (1 + 1e-6)))


def _lost_storing(softmax: Softmax, weights: WeightError, roundings: Roundings) -> Array | float:
    """Return what underflow takes from a stored weight, (…, n_q, 1).

    A weight stored before the division is then divided, with the loss, by the sum. One stored after it is not.
    """
    if roundings.normalised:
        return roundings.lost_weights
    total = np.exp(np.minimum(weights.largest, LARGEST)) / softmax.total
    return roundings.lost_weights * np.minimum(1.0, total) * _room(roundings)


def _room(roundings: Roundings) -> float:
    """Return a factor for the terms of second order that meet an underflow."""
    return 1 + 1e-3 + 2 * roundings.exp_error
