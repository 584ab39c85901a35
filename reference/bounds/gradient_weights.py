"""The error of the weights of a backward pass, kept or computed anew: Θ in `gradient_bound`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.attention_error import ForwardPass
from reference.bounds.formats import Array
from reference.bounds.merge_error import kernel_weight_error, term_error
from reference.bounds.softmax_error import LARGEST, Softmax, WeightError, log_sum_exp_error


@dataclass(frozen=True)
class LogWeights:
    """Exact weights by their logarithms, which are there where the weights themselves underflow."""

    seen: npt.NDArray[np.bool_]
    sees: npt.NDArray[np.bool_]
    """Whether a query sees a key at all, (…, n_q, 1)."""
    exact: Array
    """P (…, n_q, n_k), 0 where hidden."""
    logarithms: Array
    """log P, -∞ where hidden."""

    @classmethod
    def of(cls, softmax: Softmax) -> Self:
        """Take them from a softmax."""
        seen = softmax.visible
        logarithms = np.where(seen, -softmax.below - np.log(softmax.total), -np.inf)
        sees = np.asarray(seen.any(-1, keepdims=True))
        return cls(seen, sees, np.where(seen, softmax.weights, 0.0), logarithms)


@dataclass(frozen=True)
class Recomputed:
    """Weights P e^θ + π, with |θ| ≤ Θ."""

    exact: LogWeights
    kept: WeightError
    """D, of weights that were kept from the forward pass."""
    each: Array
    """Θ (…, n_q, n_k)."""
    largest: Array
    """max Θ over the keys that matter, (…, n_q, 1)."""
    lost: float
    """The largest |π|: what underflow takes."""
    unknown: npt.NDArray[np.bool_]
    """The queries (…, n_q, 1) that may have met an overflow."""

    @classmethod
    def of(cls, forward: ForwardPass, exact: LogWeights, roundings: Roundings) -> Self:
        """Return Θ = D + E_L + K (log Σ + E_L), K = (1+u)⁵ - 1, with E_L the error of the log-sum-exp."""
        softmax = forward.softmax
        logit_error, overflows = forward.logit_error(roundings)
        kept = kernel_weight_error(softmax, logit_error, roundings)
        normaliser = log_sum_exp_error(softmax, term_error(softmax, logit_error, roundings), roundings)[..., None]
        normaliser += growth((5, roundings.u)) * (np.log(softmax.total) + normaliser)
        normaliser = np.where(exact.sees, normaliser, 0.0)
        largest_logit = np.abs(softmax.largest) + kept.largest_logit
        fits = ~overflows & (largest_logit < roundings.largest_score) & (kept.largest < LARGEST)
        return cls(
            exact=exact,
            kept=kept,
            each=kept.each + normaliser,
            largest=kept.largest + normaliser,
            lost=3 * roundings.lost + roundings.lost_weights,
            unknown=exact.sees & ~fits,
        )

    @property
    def touched(self) -> npt.NDArray[np.bool_]:
        """The weights (…, n_q, n_k) that can be anything but 0."""
        return self.exact.seen | self.unknown

    def rounded(self, *roundings: tuple[int, float]) -> tuple[Array, Array]:
        """Return P e^Θ and P (e^Θ - 1) (…, n_q, n_k) after k more roundings u, for each (k, u); ∞ where unknown."""
        error = self.each + math.log1p(growth(*roundings))
        grown = np.exp(self.exact.logarithms + error)
        moved = grown * -np.expm1(-error)
        unknown = np.broadcast_to(self.unknown, grown.shape)
        return np.where(unknown, np.inf, grown), np.where(unknown, np.inf, moved)
