"""How far a correct attention may stray from the exact one: an inequality, derived from the arithmetic declared.

Every correct implementation, an online softmax included, in any order of summation and with or without FMA, computes

    ô = RN( [Σ p_j w_j (1+ν_j) v_j + η] / [Σ p_j w_j (1+σ_j)] · (1+δ) )        |log w_j| ≤ D_j

where the p_j are the exact weights and o = Σ p_j v_j. With u the unit roundoff of the accumulation, u_s of stored
scores, u_P of stored weights, u_in of re-rounded inputs, u_pre of a pre-scaled query, and R rescales,

    A  = |scale|·|q|·|k_j|     t = scale·q·k_j     z = t + bias     x = max z - z
    e₁ = K1·A                  K1 = (1+u_in)² (1+u_pre)² (1+u)^d_k - 1       the dot product
    e₂ = e₁ + K2 (|t| + e₁)    K2 = (1+u)⁶ (1+u_s)² - 1                      its scaling and storing
    e₃ = e₂ + K5 (|c| + e₂)    K5 = (1+u)⁴ (1+u_s)² - 1                      a soft cap c tanh(t / c), if any; + c ε_exp
    Δ  = e₃ + K3 (|z| + e₃)    K3 = (1+u)³ (1+u_s)^[bias] - 1                the bias, and log₂ e for an exp2; + η_s
    D  from Δ                                                                `softmax_error.weight_error`
    E_w, a' from D                                                           `softmax_error.mean_error`, `largest_size`
    E  = E_w + ν a' + ψ (|o| + E_w + ν a') + η
    ν  = (1+u_P) (1+u_in)² (1+u)^(n+R) - 1                                   errors of the numerator alone
    ψ  = (1+u)² / (1-σ) - 1    σ = (1+u)^(n-1+R) - 1                         the denominator and the division

and η_s, η are what underflow, flushing to zero and narrow storage can take away. Where an implementation divides each
weight before it meets the values, up to two roundings move from the quotient to the weights: with Σ p |v| ≤
Σ p |v - o| + |o|, ψ has them for |o|, and the error of exp, which counts exponential and division together, for the
rest.

Queries, keys and values that were themselves computed, within e_q, e_k and e_v, add |scale| (e_q·|k| + |q|·e_k +
e_q·e_k) to e₁, enlarge the sizes that roundings are relative to, and take the mean of the values no farther than the
mean of e_v under weights that are wrong by w.

Sums of roundings: Higham, *Accuracy and Stability of Numerical Algorithms*, Lemma 3.1. Softmax: Blanchard, Higham and
Higham, *Accurately computing the log-sum-exp and softmax functions*, 2021.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.bounds import step_bounds
from reference.bounds.arithmetic import ORACLE, Arithmetic
from reference.bounds.attention_error import InputErrors, Problem
from reference.bounds.expected import Expected, widened
from reference.bounds.step_bounds import project, scale, score, softmax, sum_values, weigh

if TYPE_CHECKING:
    from reference.bounds.formats import Array

__all__ = [
    "Arithmetic",
    "Expected",
    "attention",
    "error_before_rounding",
    "log_sum_exp",
    "project",
    "scale",
    "score",
    "self_attention",
    "softmax",
    "sum_values",
    "weigh",
]


@np.errstate(all="ignore")
def attention(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    dtype: str,
    arithmetic: Arithmetic,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Expected:
    """Return what `arithmetic` may make of attention (…, n_q, d_v) on inputs that are exact in `dtype`.

    Shapes and options are those of `matrix.attention`. Raises KeyError for an unknown format.
    """
    query, key, value = _same_axes(query, key, value)
    if key.shape[-2] == 0:
        nothing = np.full((*query.shape[:-1], value.shape[-1]), np.nan)
        return Expected(nothing, nothing, dtype, arithmetic.flush)
    problem = Problem.of(query, key, value, scale, bias, softcap)
    declared, own = problem.error(arithmetic, dtype), problem.error(ORACLE, "float64")
    return widened(problem.mean.output, declared, own, dtype, arithmetic)


@np.errstate(all="ignore")
def log_sum_exp(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    *,
    dtype: str,
    arithmetic: Arithmetic,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Expected:
    """Return what `arithmetic` may make of log Σ exp (…, n_q) of the logits, in its format of accumulation.

    It is -∞ for a query that sees no key.
    """
    query, key, _ = _same_axes(query, key, key)
    if key.shape[-2] == 0:
        nothing = np.full(query.shape[:-1], -np.inf)
        return Expected(nothing, np.zeros_like(nothing), arithmetic.accumulate, arithmetic.flush)
    problem = Problem.of(query, key, key[..., :0], scale, bias, softcap)
    value = matrix.log_sum_exp(matrix.logits(query, key, scale, bias, softcap))
    declared, own = problem.log_sum_exp_error(arithmetic, dtype), problem.log_sum_exp_error(ORACLE, "float64")
    widest = widened(value, declared, own, arithmetic.accumulate, arithmetic)
    return replace(widest, error=np.where(np.isneginf(value), 0.0, widest.error))


@np.errstate(all="ignore")
def error_before_rounding(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    dtype: str,
    arithmetic: Arithmetic,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
) -> Array:
    """Return E (…, n_q, d_v) alone, without the radius of the oracle and the room for evaluating E in float64."""
    return Problem.of(*_same_axes(query, key, value), scale, bias, softcap).error(arithmetic, dtype)[0]


@np.errstate(all="ignore")
def self_attention(  # noqa: PLR0913 - what attention depends on, and what is declared of it
    x: npt.ArrayLike,
    w_query: npt.ArrayLike,
    w_key: npt.ArrayLike,
    w_value: npt.ArrayLike,
    *,
    dtype: str,
    arithmetic: Arithmetic,
) -> Expected:
    """Return what `arithmetic` may make of self-attention (…, n, d_v), the projections being stored in `dtype`.

    Shapes are those of `matrix.self_attention`.
    """
    matrices = (w_query, w_key, w_value)
    query, key, value = _same_axes(*(matrix.project(x, w) for w in matrices))
    if key.shape[-2] == 0:
        return Expected(value, value, dtype, arithmetic.flush)
    problem = Problem.of(query, key, value, None, None)

    def error(arithmetic: Arithmetic, dtype: str) -> tuple[Array, Array]:
        errors = InputErrors(*(step_bounds.projection_error(x, w, arithmetic, dtype) for w in matrices))
        return problem.error(arithmetic, dtype, errors)

    return widened(problem.mean.output, error(arithmetic, dtype), error(ORACLE, "float64"), dtype, arithmetic)


def _same_axes(*arrays: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """Return query, key and value in float64 with the same leading axes."""
    query, key, value = (np.asarray(array, np.float64) for array in arrays)
    if query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        return query, key, value
    axes = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    query, key, value = (np.broadcast_to(array, axes + array.shape[-2:]) for array in (query, key, value))
    return query, key, value
