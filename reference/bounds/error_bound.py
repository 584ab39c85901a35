"""The bound on attention: how far a correct answer may stray from the exact one, by the roundings of its arithmetic.

Every correct implementation, an online softmax included, in any order of summation and with or without FMA, computes

    ô = RN( [Σ p_j w_j (1+ν_j) v_j + η] / [Σ p_j w_j (1+σ_j)] · (1+δ) )        |log w_j| ≤ D_j

where the p_j are the exact weights and o = Σ p_j v_j. Step by step, with t = scale·q·k_j the scaled score,
A = |scale|·|q|·|k_j|, u the unit roundoff of the accumulation, u_s of stored scores, u_P of stored weights, u_in of
re-rounded inputs, u_pre of a pre-scaled query, and R rescales,

    score        e₁ = K1·A                  K1 = (1+u_in)² (1+u_pre)² (1+u)^d_k - 1
    scale        e₂ = e₁ + K2 (|t| + e₁)    K2 = (1+u)⁶ (1+u_s)² - 1            its storing, too
    softmax      Δ  = e₂ + K3 (|t| + e₂)    K3 = (1+u)³ - 1                     log₂ e for an exp2; + η_s
                 D  from Δ                                                      `softmax_error.weight_error`
    weigh, sum   E_w from D                                                     `softmax_error.Mean.error`
                 a' from D                                                      `softmax_error.Mean.largest`
                 E  = E_w + ν a' + ψ (|o| + E_w + ν a') + η
                 ν  = (1+u_P) (1+u_in)² (1+u)^(n+R) - 1                         errors of the numerator alone
                 ψ  = (1+u)² / (1-σ) - 1    σ = (1+u)^(n-1+R) - 1               the denominator and the division

and η_s, η are what underflow, flushing to zero and narrow storage can take away. Where an implementation divides each
weight before it meets the values, up to two roundings move from the quotient to the weights: with Σ p |v| ≤
Σ p |v - o| + |o|, ψ has them for |o|, and the error of exp, which counts exponential and division together, for the
rest.

A soft cap makes c tanh(t / c) of t, and e₂ + K5 (|c tanh(t / c)| + e₂) + c ε_exp of e₂, where K5 = (1+u)⁴ (1+u_s)³ - 1.
A bias makes z = t + bias of t, and K3 (1+u)³ (1+u_s) - 1.

Weights that are exp(z - L), divided by no sum, and parts of the n keys that are merged by their log-sum-exps, as
out = Σ o_i exp(L_i - L), sum to 1 only as far as each L is exact, which is rounded relative to its own size. All values
of a query share that factor, within 1 ± C. With M the merges that a key may go through, M ≤ R, of the R rescales, and
K[k] = (1+u)^k - 1,

    size         ℓ  = max(|z| + D, |L| + max D) + 3                             of log-sum-exps
    way          g  = L - max z + max D + 4 (D + K[2M+2] ℓ)                     from the largest logit to L
    both sums    H  = K[2M] ℓ + K[5] (max z - z + 2 g)                          D + H takes the place of D
    one of them  Λ  = K[2M+2] ℓ + K[15] (max z - z + g) - 2M log(1 - ε_exp)
                 C  = Σ p e^D (e^Λ - 1) / Σ p e^-D                              `merge_error`
                 E += C (|o| + E)                                               and n + 2 for n in ν

Where all keys are one block M is 0, H = K[5] g, Λ = K[2] ℓ + K[10] (max z - z + g) - 2 log(1 - ε_exp), and ν has n.
A log-sum-exp that comes of merges has the error of its terms from D + H, and δ = Σ G O in a gradient that of such an O.
An arithmetic whose weights are divided by their sum has none of this.

Queries, keys and values that were themselves computed, within e_q, e_k and e_v, add |scale| (e_q·|k| + |q|·e_k +
e_q·e_k) to e₁, enlarge the sizes that roundings are relative to, and take the mean of the values no farther than the
mean of e_v under weights that are wrong by w.

Sums of roundings: Higham, *Accuracy and Stability of Numerical Algorithms*, Lemma 3.1. Softmax: Blanchard, Higham and
Higham, *Accurately computing the log-sum-exp and softmax functions*, 2021.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.bounds.arithmetic import Roundings
from reference.bounds.attention_error import ForwardPass, InputErrors
from reference.bounds.formats import Array
from reference.bounds.interval import Errors, Interval
from reference.bounds.oracle_error import around
from reference.bounds.step_bounds import projection_error


@np.errstate(all="ignore")
def attention(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    roundings: Roundings,
    *,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Interval:
    """Return what is expected of attention (…, n_q, d_v) under these roundings.

    Shapes and options are those of `matrix.attention`.
    """
    query, key, value = _same_axes(query, key, value)
    if key.shape[-2] == 0:
        nothing = np.full((*query.shape[:-1], value.shape[-1]), np.nan)
        return Interval(nothing, nothing, roundings.dtype, roundings.flush)
    forward = ForwardPass.of(query, key, value, scale, bias, softcap)
    return around(forward.mean.output, forward.error, roundings, capped=softcap is not None)


@np.errstate(all="ignore")
def weights(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    roundings: Roundings,
    *,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Interval:
    """Return what is expected of the weights (…, n_q, n_k), the output for the identity matrix as the values."""
    query, key, _ = _same_axes(query, key, key)
    if key.shape[-2] == 0:
        nothing = np.zeros((*query.shape[:-1], 0))
        return Interval(nothing, nothing, roundings.dtype, roundings.flush)
    forward = ForwardPass.of(query, key, None, scale, bias, softcap)
    return around(forward.mean.output, forward.error, roundings, capped=softcap is not None)


@np.errstate(all="ignore")
def log_sum_exp(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    roundings: Roundings,
    *,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Interval:
    """Return what is expected of log Σ exp (…, n_q) of the logits, which is stored in the format of accumulation.

    It is -∞ for a query that sees no key.
    """
    query, key, _ = _same_axes(query, key, key)
    stored = roundings.accumulate.name
    if key.shape[-2] == 0:
        nothing = np.full(query.shape[:-1], -np.inf)
        return Interval(nothing, np.zeros_like(nothing), stored, roundings.flush)
    forward = ForwardPass.of(query, key, key[..., :0], scale, bias, softcap)
    value = forward.softmax.log_sum_exp
    interval = around(value, forward.log_sum_exp_error, roundings, capped=softcap is not None)
    return replace(interval, error=np.where(np.isneginf(value), 0.0, interval.error), dtype=stored)


@np.errstate(all="ignore")
def self_attention(
    x: npt.ArrayLike, w_query: npt.ArrayLike, w_key: npt.ArrayLike, w_value: npt.ArrayLike, roundings: Roundings
) -> Interval:
    """Return what is expected of self-attention (…, n, d_v), the projections being stored in the dtype.

    Shapes are those of `matrix.self_attention`.
    """
    matrices = (w_query, w_key, w_value)
    query, key, value = _same_axes(*(matrix.project(x, w) for w in matrices))
    if key.shape[-2] == 0:
        return Interval(value, value, roundings.dtype, roundings.flush)
    forward = ForwardPass.of(query, key, value, None, None)

    def error(roundings: Roundings) -> Errors:
        return forward.error(roundings, InputErrors(*(projection_error(x, w, roundings) for w in matrices)))

    return around(forward.mean.output, error, roundings)


def _same_axes(*arrays: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Return query, key and value in float64 with the same leading axes."""
    query, key, value = (np.asarray(array, np.float64) for array in arrays)
    if query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        return query, key, value
    axes = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    query, key, value = (np.broadcast_to(array, axes + array.shape[-2:]) for array in (query, key, value))
    return query, key, value
