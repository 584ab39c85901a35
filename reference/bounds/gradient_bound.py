"""The bound on gradients: how far correct ones may stray from the exact ones, by the roundings of their arithmetic.

Every correct backward pass multiplies out dV = Pᵀ G and dQ = scale · dS K, dK = scale · dSᵀ Q, with dS = P ∘ (dP - δ)
and dP = G Vᵀ. What it does not share with another is where P and δ come from. P was kept from the forward pass, or is
exp(s - L) again, from the log-sum-exp L that was kept and scores that may be summed in another order; δ is Σ P dP, or
Σ G O with the output O, rounded to the dtype. The bound holds for each of these, in any order of summation, in
any blocks and with or without FMA. In the words of `error_bound`, with D the error of the weights of a forward pass,

    Θ    = D + E_L + K (log Σ + E_L)      K = (1+u)⁵ - 1      E_L: of the log-sum-exp      P̂ = P e^θ, |θ| ≤ Θ
    A    = κ_A |G||V|ᵀ                    κ_A = (1+u_in)² (1+u)^(d_v+2) (1+u_s)² - 1       dP
    B    = E[dP] + (1+κ_B) |G| h(O)       κ_B = (1+u_in)² (1+u)^(d_v+5) (1+u_s)⁴ - 1       δ
    E_S  = P (e^Θ' - 1) |dP - δ| + P e^Θ' (A + B)      e^Θ' = e^Θ (1+u)² (1+u_s) (1+u_P)²
    E_dV = [P (e^Θ'' - 1)]ᵀ |G|           e^Θ'' = e^Θ (1+u_P) (1+u_in)² (1+u)^(n_q+1)
    E_dQ = |scale| (E_S |K| + κ (|dS| + E_S) |K|)      κ = (1+u_in)² (1+u_pre)² (1+u)^(n_k+6) (1+u_s) - 1
    E_dK   likewise, with E_Sᵀ, |Q| and n_q

and to each η, what underflow, flushing to zero and narrow storage take. Term by term:

Θ    A kept weight is e^D off before the division, whose divisor is off by less than E_L, the division's rounding
     included. One computed again is exp of a score that is as wrong as those of the forward pass, minus an L that is
     wrong by E_L; a difference up to log Σ larger than the one which D knows is rounded like that one.
A    A dot product, stored; one rounding more for each of: its product with P where P dP - P δ is what is computed; a
     division of G by the sum of weights where that comes first.
B    E[dP] is E of `error_bound` for values dP within κ_B |G||V|ᵀ. That is Σ P dP with its roundings. It is Σ G O too:
     all columns of O have the same weights, whose errors therefore cost |dP - δ| here as well, and roundings of O's
     own columns are relative to |V|. h(O) is half an ulp of the stored output. The roundings counted in κ_B are those
     of A, and of storing P dP, their sum, and P δ.
E_S  The difference and the product, stored; P stored before, and dS stored in the format of weights after.
E_dV P stored, and a sum over the queries.
E_dQ A sum over the keys, scaled before or after it by a factor of its own roundings, and stored in between. Where
     query or key were scaled first they have been rounded for that.
η    Each dot product loses `dot_lost`, each weight what exp, a quotient and a stored weight can lose, and each number
     that is stored half its smallest subnormal, or all of it. A sum over what is hidden is 0 and loses nothing.

Where a score, dP, δ, dS or a stored output may overflow, nothing is promised of its query's dQ, and nothing of any dK
and dV that it enters: 0·∞ is no number, so that hidden keys are no exception.

The shift that keeps exp from overflowing is a constant here. Who differentiates through the maximum as well adds to
the largest score's gradient the sum of all others of its query, 0 but for their roundings, which no term allows for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reference import gradient as closed_form
from reference.bounds.arithmetic import ORACLE, Roundings
from reference.bounds.formats import Array
from reference.bounds.gradient_error import BackwardPass
from reference.bounds.interval import Errors, Interval, widened


@np.errstate(all="ignore")
def gradient(  # noqa: PLR0913 - what the gradients depend on, and what is declared of them
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    upstream: npt.ArrayLike,
    roundings: Roundings,
    *,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
) -> tuple[Interval, Interval, Interval]:
    """Return what is expected of dQ (…, n_q, d_k), dK (…, n_k, d_k) and dV (…, n_k, d_v) under these roundings.

    Shapes and options are those of `reference.gradient.attention`.
    """
    query, key, value, upstream = (np.asarray(array, np.float64) for array in (query, key, value, upstream))
    exact = closed_form.attention(query, key, value, upstream, scale, bias)
    if key.shape[-2] == 0:
        zeros = (Interval(value, np.zeros_like(value), roundings.dtype, roundings.flush) for value in exact)
        d_query, d_key, d_value = zeros
        return d_query, d_key, d_value
    backward = BackwardPass.of(query, key, value, upstream, scale, bias)
    declared, own = backward.errors(roundings), backward.errors(ORACLE)
    d_query, d_key, d_value = (_around(*arrays, roundings) for arrays in zip(exact, declared, own, strict=True))
    return d_query, d_key, d_value


def _around(value: Array, declared: Errors, own: Errors, roundings: Roundings) -> Interval:
    """Return the interval, with nothing promised where float64 itself does not know."""
    interval = widened(value, declared, own, roundings)
    unknown = np.isnan(value) | np.isnan(interval.error)
    return replace(interval, error=np.where(unknown, np.inf, interval.error))
