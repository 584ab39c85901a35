"""The inequality of `gradient_bound`, term by term, for one backward pass under any arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from reference import gradient
from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.attention_error import ForwardPass, dot_lost, output_error
from reference.bounds.formats import FORMATS, Array, half_ulp
from reference.bounds.gradient_cap import capped_scores_error
from reference.bounds.gradient_weights import LogWeights, Recomputed
from reference.bounds.interval import Errors
from reference.bounds.softmax_error import Mean, Softmax, WeightError
from reference.gradient import transpose

Fields = TypeVar("Fields", Softmax, WeightError)


@dataclass(frozen=True)
class BackwardPass:
    """One backward pass, n_k ≥ 1, evaluated in float64 for every arithmetic. Sizes of what is hidden are 0."""

    forward: ForwardPass
    weights: LogWeights
    query: Array
    key: Array
    value: Array
    upstream: Array
    mean: Mean
    """δ as the mean (…, n_q, 1, 1) of the values dP (…, n_q, n_k, 1)."""
    sizes: Array
    """|G| |V|ᵀ (…, n_q, n_k): what the roundings of dP are relative to."""
    largest_size: Array
    """The largest size (…, n_q, 1), hidden keys included: a weight of 0 times ∞ is no number."""
    lengths: Array
    """|dP - δ| (…, n_q, n_k)."""

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what the gradients depend on
        cls,
        query: Array,
        key: Array,
        value: Array,
        upstream: Array,
        scale: float | None,
        bias: npt.ArrayLike | None,
        softcap: float | None = None,
    ) -> Self:
        """Evaluate both passes, and keep what the bound needs of them."""
        forward = ForwardPass.of(query, key, value, scale, bias, softcap)
        weights = LogWeights.of(forward.softmax)
        d_weights = gradient.through_weights(upstream, value, weights.seen)
        mean = Mean.of(_each_query(forward.softmax), d_weights[..., None])
        query, key, value, upstream = (_sizes(array) for array in (query, key, value, upstream))
        sizes = upstream @ transpose(value)
        largest = sizes.max(-1, keepdims=True)
        sizes = np.where(weights.seen, sizes, 0.0)
        lengths = np.where(weights.seen, mean.distances[..., 0, 0, :], 0.0)
        return cls(forward, weights, query, key, value, upstream, mean, sizes, largest, lengths)

    def errors(self, roundings: Roundings) -> tuple[Errors, Errors, Errors]:
        """Return E of dQ, dK and dV before their final rounding, and the largest Θ that each is made of."""
        weights = Recomputed.of(self.forward, self.weights, roundings)
        error = self._d_scores_error(weights, roundings)
        d_scores = self.weights.exact * self.lengths
        if self.forward.softcap is not None:
            d_scores, error = capped_scores_error(self.forward, self.weights.seen, d_scores, error, roundings)
        d_query = self._product_error(d_scores, error, self.key, roundings)
        d_key = self._product_error(transpose(d_scores), transpose(error), self.query, roundings)
        largest = weights.largest.max(-2, keepdims=True, initial=0.0)
        return (d_query, weights.largest), (d_key, largest), (self._d_value_error(weights, roundings), largest)

    def _d_value_error(self, weights: Recomputed, roundings: Roundings) -> Array:
        """Return E of dV = Pᵀ G: a sum over queries of products with the stored weights."""
        n_queries = self.upstream.shape[-2]
        grown, moved = weights.rounded((1, roundings.u_weights), (2, roundings.u_inputs), (n_queries + 1, roundings.u))
        divided = self.key.shape[-2] * roundings.lost
        lost = dot_lost(transpose(grown), transpose(self.upstream), roundings, divided)
        lost += weights.lost * (transpose(self.weights.seen) @ self.upstream)
        touched = transpose(weights.touched).any(-1, keepdims=True)
        error = np.where(touched, transpose(moved) @ self.upstream + lost, 0.0)
        return np.where(transpose(grown) @ self.upstream >= roundings.accumulate.max, np.inf, error)

    def _d_scores_error(self, weights: Recomputed, roundings: Roundings) -> Array:
        """Return E_S (…, n_q, n_k), ∞ for a whole query where something of it may overflow."""
        u, u_scores = roundings.u, roundings.u_scores
        grown, moved = weights.rounded((2, u), (1, u_scores), (2, roundings.u_weights))
        k = growth((2, roundings.u_inputs), (self.value.shape[-1] + 2, u), (2, u_scores))
        inherited = k * self.sizes + self._d_weights_lost(roundings) + self._delta_error(weights, roundings)
        lost = weights.lost * (self.lengths + inherited)
        lost += 3 * roundings.lost + 3 * roundings.lost_scores + 2 * roundings.lost_weights
        error = np.where(self.weights.seen, moved * self.lengths + grown * inherited + lost, 0.0)
        largest = np.maximum(1.0, grown.max(-1, keepdims=True))
        centred = (self.lengths + inherited).max(-1, keepdims=True)
        reached = largest * (1 + (1 + k) * (self.largest_size + centred))
        stored = max(1.0, self.forward.scale) * (self.weights.exact * self.lengths + error).max(-1, keepdims=True)
        fits = (reached < roundings.largest_score) & (stored < _largest_weight(roundings))
        return np.where(self.weights.sees & ~fits, np.inf, error)  # so that NaN, which is neither, overflows

    def _d_weights_lost(self, roundings: Roundings) -> Array:
        """Return what underflow takes from dP, also where G is divided first by the sum of the weights, at most n_k."""
        n_keys, d_v = self.value.shape[-2:]
        divided = n_keys * roundings.lost
        lost: Array = dot_lost(self.upstream, self.value, roundings, divided) + d_v * divided
        return lost + 2 * roundings.lost_scores

    def _delta_error(self, weights: Recomputed, roundings: Roundings) -> Array:
        """Return the error of δ (…, n_q, 1), be it Σ P dP or the Σ G O of an output that was stored in the dtype.

        Weights are wrong by the same factors for every column of the values, so that they cost |dP - δ| either way.
        """
        k = growth((2, roundings.u_inputs), (self.value.shape[-1] + 5, roundings.u), (4, roundings.u_scores))
        softmax, kept = _each_query(self.forward.softmax), _each_query(weights.kept)
        mean = replace(self.mean, sizes=self.sizes[..., None])
        d_weights_error = k * self.sizes + self._d_weights_lost(roundings)
        error = output_error(softmax, mean, kept, roundings, d_weights_error[..., None])[..., 0]
        n_keys, d_v = self.value.shape[-2:]
        lost = (n_keys + d_v + 4) * (roundings.lost + roundings.lost_scores)
        lost += weights.lost * self.sizes.sum(-1, keepdims=True)
        total: Array = error + (1 + k) * self._stored_output_error(weights, roundings) + lost
        return total

    def _stored_output_error(self, weights: Recomputed, roundings: Roundings) -> Array:
        """Return what rounding the output to its dtype makes of Σ G O, (…, n_q, 1)."""
        mean, format_ = self.forward.mean, FORMATS[roundings.dtype]
        reached = np.abs(mean.output) + output_error(self.forward.softmax, mean, weights.kept, roundings)
        rounded = np.where(reached < format_.max, half_ulp(reached, format_), np.inf)
        flushed = roundings.lost_inputs * (self.upstream + reached + roundings.lost_inputs)
        error: Array = (self.upstream * rounded + flushed).sum(-1, keepdims=True)
        return error

    def _product_error(self, d_scores: Array, error: Array, rows: Array, roundings: Roundings) -> Array:
        """Return E of scale · dS R, (…, n, d), from |dS| and E_S (…, n, m) and |R| (…, m, d)."""
        u, u_scores = roundings.u, roundings.u_scores
        k = growth((2, roundings.u_inputs), (2, roundings.u_prescale), (rows.shape[-2] + 6, u), (1, u_scores))
        summed, most = d_scores + error, max(1.0, self.forward.scale)
        products = summed @ rows
        lost = dot_lost(summed, transpose(rows), roundings, roundings.lost_prescale)
        # dS that is scaled before it is stored loses the same as one that is not.
        stored = roundings.lost + roundings.lost_scores + roundings.lost_weights
        lost += 3 * roundings.lost + 2 * roundings.lost_scores + stored * ((error > 0) @ rows)
        touched = (error > 0).any(-1, keepdims=True)
        total = np.where(touched, self.forward.scale * (error @ rows + k * products) + most * lost, 0.0)
        return np.where(most * (1 + k) * products >= roundings.largest_score, np.inf, total)


def _each_query(of_queries: Fields) -> Fields:
    """Return the same of queries that are runs of their own: (…, n_q, n_k) as (…, n_q, 1, n_k)."""
    apart = {field.name: getattr(of_queries, field.name)[..., None, :] for field in fields(of_queries)}
    return replace(of_queries, **apart)


def _sizes(array: Array) -> Array:
    """Return the sizes of what is finite: what is not can only be hidden, or makes the gradient no number."""
    return np.where(np.isfinite(array), np.abs(array), 0.0)


def _largest_weight(roundings: Roundings) -> float:
    return min(roundings.largest_score, (roundings.weights or roundings.accumulate).max)
