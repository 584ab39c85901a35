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

A soft cap c multiplies dS by f = 1 - tanh² x, x = t / c. With dS = f dS and E_S = E_T in the last two lines,

    E_T  = (1+κ_T) ((f + F) E_S + F |dS|) + κ_T f |dS|    κ_T = (1+u)⁴ (1+u_s)³ - 1
    F    = max(F_x + S + κ_1 (f + F_x + S), F_x + κ_e (f + F_x))
    F_x  = max |f(x') - f(x)| over |x' - x| ≤ d           d   = (e + K6 (|t| + e)) / c    K6 = (1+u)² (1+u_s) - 1
    S    = (2τ + T) T + κ_2 (τ + T)²                      κ_2 = (1+u)³ (1+u_s)² - 1       κ_1 = (1+u)² (1+u_s) - 1
    T    = κ_τ τ + ε_exp    τ = tanh(|x| + d)             κ_τ = (1+u)⁶ (1+u_s)³ - 1
    κ_e  = (1+u)⁸ (1+u_s)⁴ / (1 - ε_exp)³ - 1

Gradients of dK and dV that `group` > 1 heads share may be stored for each head before they are added:

    E_dK += (1+κ_g) Σ_h h(|dK_h| + E_dK)                  κ_g = (1+u)^group - 1           likewise E_dV

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
E_T  Where autograd goes back through c tanh(t / c), dS is multiplied by c and by f and divided by c, by way of 1 / c;
     all of these are stored.
F    There are two ways to f. 1 - τ² has an error that is relative to 1 and not to f, since it cancels: S is the error
     of τ², from a τ that is wrong by T, and κ_1 the difference, stored, or (c² - y²) / c² with y = c τ. The other way,
     4 e^(-2|x|) / (1 + e^(-2|x|))² or 1 / cosh² x, is made of exponentials and cancels nothing: κ_e counts them, three
     at most, and their products and quotients, stored. Neither way's error contains that of the other.
F_x  x may be computed anew from scores that are summed in another order; e is e₂ + K3 (|t| + e₂) of `error_bound`,
     and K6 the division, or the product with 1 / c, stored. As |(log f)'| = 2 |tanh| and f falls with |x|, F_x is no
     more than f (e^(2dτ) - 1), and than f(|x| - d), which is taken where 2d ≥ 1.
T    A tanh with its quotient, sum and difference, and c τ, divided by c again where y was kept; each of them stored.
     One that is made of exponentials is as exact as they are, next to 1.
h    Half an ulp of the dtype. Each head's sums have fewer roundings than the sum over the queries of all heads, which
     E_dK has; and what is added up is no more than group numbers, each with the error that storing it has made.
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
from reference.bounds.gradient_groups import of_each_head, stored_apart
from reference.bounds.interval import Errors, Interval, widened
from reference.bounds.oracle_error import own_errors


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
    softcap: float | None = None,
    group: int = 1,
) -> tuple[Interval, Interval, Interval]:
    """Return what is expected of dQ (…, n_q, d_k), dK (…, n_k, d_k) and dV (…, n_k, d_v) under these roundings.

    Shapes and options are those of `reference.gradient.attention`. Where a key head is shared by a `group` of query
    heads, `query` and `upstream` (…, group · n_q, ·) are the rows of one of these heads after those of another.
    """
    query, key, value, upstream = (np.asarray(array, np.float64) for array in (query, key, value, upstream))
    exact = closed_form.attention(query, key, value, upstream, scale, bias, softcap)
    if key.shape[-2] == 0:
        zeros = (Interval(value, np.zeros_like(value), roundings.dtype, roundings.flush) for value in exact)
        of_query, of_key, of_value = zeros
        return of_query, of_key, of_value
    backward = BackwardPass.of(query, key, value, upstream, scale, bias, softcap)
    declared = backward.errors(roundings)
    own = own_errors(declared, lambda: backward.errors(ORACLE), roundings, capped=softcap is not None)
    if group > 1:
        of_keys, of_values = of_each_head(query, key, value, upstream, group, scale, bias, softcap)
        d_query, d_key, d_value = declared
        declared = d_query, stored_apart(d_key, of_keys, roundings), stored_apart(d_value, of_values, roundings)
    of_query, of_key, of_value = (_around(*arrays, roundings) for arrays in zip(exact, declared, own, strict=True))
    return of_query, of_key, of_value


def _around(value: Array, declared: Errors, own: Errors, roundings: Roundings) -> Interval:
    """Return the interval, with nothing promised where float64 itself does not know."""
    interval = widened(value, declared, own, roundings)
    unknown = np.isnan(value) | np.isnan(interval.error)
    return replace(interval, error=np.where(unknown, np.inf, interval.error))
