"""The errors of weights that are exponentials less a log-sum-exp: H, Λ and C in `error_bound`.

Weights may be exp(z - L), L = max z + log Σ exp(z - max z), and divided by no sum. Or parts i of the keys, with outputs
o_i and log-sum-exps L_i, may be merged, which makes L = T + log Σ exp(L_i - T), T = max L_i, and either
Σ o_i exp(L_i - L) or Σ o_i exp(L_i - T) / Σ exp(L_i - T). Either way o e^L is a numerator and e^L its denominator; the
computed sum of a part's weights, which divides its output and is in its log-sum-exp, cancels, however wrong. On its way
through M merges, all at once or one after the other, or through none where its weight is exp(z - L), a key gathers

L        1 + M roundings of log-sum-exps, and as many of factors log 2 where these are to base 2. Each is relative to a
         number between the logit of the key and the log-sum-exp of all, or to 3 for a logarithm near 0. Numerator and
         denominator share those of the part and of the merges before the last, unless these did not divide. The last is
         in the denominator alone.
log      logarithms of the sums of exps, each the distance from the largest to the log-sum-exp, four times rounded. They
         add up to no more than the distance from the logit of the key to the log-sum-exp of all, x + g.
L_i - L  arguments of exp, five times rounded, which add up to x + g in the numerator, where D has those of x, and to no
         more in the denominator. Where rounding has made an L smaller than it should be, a step goes back, as g allows.
         Without merges there is one, z - L, which is x + g; D has x of it.
exp      two exps for each merge, one for the numerator and one for the denominator. D has one of them, since a merge
         counts as a rescale. Without merges they are those of z - L and of z - max z.

What the denominator alone has gathered makes one factor for all values of a query: it costs |o|, and not |v|.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.formats import Array
from reference.bounds.softmax_error import LARGEST, Softmax, WeightError, largest_of, log_weight_error, weight_error


def kernel_weight_error(softmax: Softmax, logit_error: Array, roundings: Roundings) -> WeightError:
    """Return the errors of weights that may be less a log-sum-exp, or merged, as the roundings allow: D + H, and C."""
    if roundings.merges == 0:
        return weight_error(softmax, logit_error, roundings)
    each, top = log_weight_error(softmax, logit_error, roundings)
    merges = roundings.merged(softmax.weights.shape[-1])
    u, log_total, largest = roundings.u, np.log(softmax.total), largest_of(softmax, each)
    sizes = np.maximum(softmax.sizes + each, np.abs(softmax.largest + log_total) + largest) + 3
    rounded = growth((2 * (merges + 1), u)) * sizes
    distance = log_total + largest + 4 * (each + rounded)
    way = softmax.below + distance
    argument = way + distance if merges else distance
    shared = growth((2 * merges, u)) * sizes + growth((5, u)) * argument
    exp_errors = 2 * max(merges, 1) * -math.log1p(-roundings.exp_error)
    apart = rounded + growth((15 if merges else 10, u)) * way + exp_errors
    weights = WeightError.of(softmax, np.where(softmax.visible, each + shared, 0.0), top)
    return replace(weights, apart=_mean(softmax, weights, apart))


def term_error(softmax: Softmax, logit_error: Array, roundings: Roundings) -> WeightError:
    """Return the errors of the terms of a log-sum-exp, which are less the largest logit where nothing is merged."""
    merged = roundings.merged(softmax.weights.shape[-1])
    return (kernel_weight_error if merged else weight_error)(softmax, logit_error, roundings)


def _mean(softmax: Softmax, weights: WeightError, apart: Array) -> Array:
    """Return C, the mean of e^Λ - 1 (…, n_q, 1), under weights that are themselves wrong; 0 where no key is seen."""
    grown = np.where(softmax.visible, softmax.weights + weights.excess, 0.0)
    mean = (grown * np.expm1(np.minimum(apart, LARGEST))).sum(-1, keepdims=True)
    matters = softmax.visible & (softmax.below - weights.each < 800)
    most = np.expm1(apart.max(-1, keepdims=True, where=matters, initial=0.0))
    return np.where(matters.any(-1, keepdims=True), np.minimum(mean / weights.least_total, most), 0.0)
