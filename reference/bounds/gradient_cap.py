"""The error of the factor that a soft cap puts on the gradients of the scores: F in `gradient_bound`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reference import gradient
from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.attention_error import ForwardPass
from reference.bounds.formats import Array


def capped_scores_error(
    forward: ForwardPass, seen: npt.NDArray[np.bool_], d_scores: Array, error: Array, roundings: Roundings
) -> tuple[Array, Array]:
    """Return |f dS| and E_T (…, n_q, n_k), from |dS| and E_S, of a pass with a soft cap; ∞ where c dS may overflow."""
    assert forward.softcap is not None
    cap, u, u_scores = forward.softcap, roundings.u, roundings.u_scores
    slope, off = slope_error(forward, cap, roundings)
    slope, off = np.where(seen, slope, 0.0), np.where(seen, off, 0.0)
    k = growth((4, u), (3, u_scores))
    lost = 3 * max(1.0, 1 / cap) * (roundings.lost + roundings.lost_scores) + roundings.lost_weights
    total = (1 + k) * ((slope + off) * error + off * d_scores) + k * slope * d_scores + seen * lost
    format_ = roundings.weights or roundings.accumulate
    largest = max(1.0, cap) * (d_scores + error).max(-1, keepdims=True)
    fits = largest < min(roundings.largest_score, format_.max)
    return slope * d_scores, np.where(seen.any(-1, keepdims=True) & ~fits, np.inf, total)


def slope_error(forward: ForwardPass, cap: float, roundings: Roundings) -> tuple[Array, Array]:
    """Return f and F, (…, n_q, n_k), of the scaled scores of a pass with a soft cap."""
    u, u_scores, lost = roundings.u, roundings.u_scores, roundings.lost + roundings.lost_scores
    # What the cap is given are the logits of a pass that has neither a cap nor a bias.
    plain = replace(forward.softmax, sizes=forward.scaled)
    score_error, _ = replace(forward, softcap=None, biased=False, softmax=plain).logit_error(roundings)
    stored = growth((2, u), (1, u_scores)) * (forward.scaled + score_error)
    x, d = forward.scaled / cap, (score_error + stored) / cap + lost
    slope = gradient.slope_of_cap(x, 1.0)
    moved = _moved(x, d, slope)

    tanh = np.tanh(x + d)
    off = growth((6, u), (3, u_scores)) * tanh + roundings.exp_error + lost
    squared = (2 * tanh + off) * off + growth((3, u), (2, u_scores)) * (tanh + off) ** 2 + lost
    by_squares = moved + squared + growth((2, u), (1, u_scores)) * (slope + moved + squared)

    exponentials = math.expm1(math.log1p(growth((8, u), (4, u_scores))) - 3 * math.log1p(-roundings.exp_error))
    return slope, np.maximum(by_squares, moved + exponentials * (slope + moved)) + lost


def _moved(x: Array, d: Array, slope: Array) -> Array:
    """Return how far the slope at any x' is from that at x, for |x' - x| ≤ d."""
    # (log f)' = -2 tanh, whose size is no larger than at x + d; and f falls with |x|.
    near = slope * np.expm1(np.minimum(2 * d * np.tanh(x + d), 1.0))
    return np.where(2 * d < 1, near, gradient.slope_of_cap(np.maximum(x - d, 0.0), 1.0))
