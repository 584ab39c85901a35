"""The largest weighted mean that weights known up to a factor can have: a linear-fractional program, solved exactly."""

from __future__ import annotations

import numpy as np

from reference.bounds.formats import Array

TOLD_APART = 1e-12
"""Part of the largest value that two numbers must differ by for float64 to tell which is larger."""


def largest_mean(log_weights: Array, error: Array, values: Array, mean: Array) -> Array:
    """Return sup (Σ p w v / Σ p w) - mean over all |log w| ≤ error, (m, d_v).

    `log_weights` are log p up to a constant and -∞ where hidden, and `error` their bounds, both (m, n_k); `values` are
    (m, d_v, n_k) and `mean` is Σ p v / Σ p, (m, d_v). By Dinkelbach's method (1967): against a target, the best w is
    e^error on the values above it and e^-error on the others; the mean under those is the next target, and targets
    only rise. Once no value changes side the target is the supremum.

    A value that float64 cannot tell from the target counts as below it: a heavy one just above would hold the target
    there, although the target may leap once it has passed.
    """
    log_weights, error = log_weights[:, None, :], error[:, None, :]
    seen = ~np.isneginf(log_weights)
    largest: Array = np.abs(values).max(-1, initial=0.0)
    target: Array = mean
    above = values > (target + TOLD_APART * largest)[..., None]
    while True:
        exponent = np.where(above, log_weights + error, log_weights - error)
        weights = np.exp(exponent - exponent.max(-1, keepdims=True))
        gain = (weights * np.where(seen, values - target[..., None], 0.0)).sum(-1) / weights.sum(-1)
        target = target + np.maximum(gain, 0.0)
        still_above = values > (target + TOLD_APART * largest)[..., None]
        if (still_above == above).all():
            break
        above = still_above
    return with_room(np.maximum(target - mean, 0.0), largest)


def with_room(distance: Array, largest: Array | float) -> Array:
    """Return a distance with room for having been solved in float64, and for values that were not told apart."""
    roomy: Array = distance * (1 + 1e-6) + 1e-11 * largest
    return roomy
