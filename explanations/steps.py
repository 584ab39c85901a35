"""The steps of attention and of its backward pass, in rounded numbers: a mistake may replace each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from explanations.rounded import Rounded
from properties.checks.roundings import roundings_of
from properties.drawing.gradients import Backward
from properties.drawing.problem import Problem
from reference import gradient
from reference.bounds.arithmetic import Roundings

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True, eq=False)
class Forward:
    """The steps of one attention, as (batch, heads, n_q, n_k) for each query head."""

    problem: Problem
    roundings: Roundings

    def given(self, array: Array) -> Rounded:
        """Return an input; what is no number in it can only be hidden, and is 0."""
        return Rounded.of(np.where(np.isfinite(array), array, 0.0), self.roundings)

    @cached_property
    def query(self) -> Rounded:
        """The queries."""
        return self.given(self.problem.query)

    @cached_property
    def key(self) -> Rounded:
        """The keys of each query head."""
        return self.given(self.problem.for_each_query_head(self.problem.key))

    @cached_property
    def value(self) -> Rounded:
        """The values of each query head."""
        return self.given(self.problem.for_each_query_head(self.problem.value))

    @cached_property
    def scale(self) -> float:
        """The factor on the scores."""
        return self.problem.d_k**-0.5 if self.problem.scale is None else self.problem.scale

    @cached_property
    def raw(self) -> Rounded:
        """The scores before they are scaled."""
        return self.query @ self.key.transposed

    @cached_property
    def scaled(self) -> Rounded:
        """The scaled scores."""
        return self.raw.times(self.scale)

    @cached_property
    def capped(self) -> Rounded:
        """The scaled scores after the soft cap."""
        return self.capping(self.scaled)

    def capping(self, scores: Rounded) -> Rounded:
        """Return scores after the soft cap, if there is one."""
        cap = self.problem.softcap
        return scores if cap is None else scores.at(lambda scores: cap * np.tanh(scores / cap))

    @cached_property
    def bias(self) -> Array:
        """The bias, 0 where there is none or it hides."""
        bias = np.zeros(()) if self.problem.bias is None else self.problem.bias
        return np.where(np.isneginf(bias), 0.0, bias)

    @property
    def seen(self) -> Array:
        """The visible keys of each query."""
        return self.problem.seen

    @cached_property
    def sees(self) -> Array:
        """Whether a query sees a key at all, (…, n_q, 1)."""
        return np.asarray(self.seen.any(-1, keepdims=True))

    @cached_property
    def logits(self) -> Rounded:
        """The numbers that go into the softmax, of hidden keys as of visible ones."""
        return self.capped if self.problem.bias is None else self.capped.plus(self.bias)

    @cached_property
    def largest(self) -> Array:
        """The largest logit of each query (…, n_q, 1), 0 where no key is seen."""
        return self.largest_of(self.logits, self.seen)

    def largest_of(self, logits: Rounded, seen: Array) -> Array:
        """Return the largest of the logits that are seen (…, n_q, 1), 0 where none is."""
        largest = logits.value.max(-1, keepdims=True, initial=-np.inf, where=seen)
        return np.where(np.isneginf(largest), 0.0, largest)

    @cached_property
    def exponentials(self) -> Rounded:
        """The exponentials of the logits less the largest, 0 where hidden."""
        return self.exponentials_of(self.logits, self.seen)

    def exponentials_of(self, logits: Rounded, seen: Array, shift: Array | None = None) -> Rounded:
        """Return exponentials of logits less a shift, the largest one by default, 0 where hidden."""
        shift = self.largest_of(logits, seen) if shift is None else shift
        return (logits - Rounded.of(shift, self.roundings)).where(seen).exp().where(seen)

    @cached_property
    def weights(self) -> Rounded:
        """The weights; 0 where no key is seen."""
        return self.softmax(self.logits, self.seen)

    def softmax(self, logits: Rounded, seen: Array) -> Rounded:
        """Return the weights of logits, 0 where hidden."""
        return self.normalised(self.exponentials_of(logits, seen), np.asarray(seen.any(-1, keepdims=True)))

    def normalised(self, exponentials: Rounded, sees: Array | None = None) -> Rounded:
        """Return exponentials divided by their sum, 0 where no key is seen."""
        return (exponentials / exponentials.summed(-1)).where(self.sees if sees is None else sees)

    def log_sum_exp(self, logits: Rounded, seen: Array) -> Rounded:
        """Return log Σ exp (…, n_q) of logits, -∞ where no key is seen."""
        total = self.exponentials_of(logits, seen).summed(-1).log().plus(self.largest_of(logits, seen))
        return total.where(np.asarray(seen.any(-1, keepdims=True)), -np.inf).like(lambda array: array[..., 0])


@dataclass(frozen=True, eq=False)
class BackwardPass(Forward):
    """The steps of one backward pass, each of which a mistake may replace."""

    problem: Backward
    factor: float | None = None
    """The factor on the gradients of the query and the key; None: the scale."""

    @cached_property
    def upstream(self) -> Rounded:
        """The gradients of the output."""
        return self.given(self.problem.upstream)

    @cached_property
    def d_weights(self) -> Rounded:
        """The gradients of the weights, of hidden keys as of visible ones."""
        return self.upstream @ self.value.transposed

    @cached_property
    def slope(self) -> Rounded | None:
        """The slope of the soft cap at the scaled scores, if there is one."""
        return self.slope_at(self.scaled)

    def slope_at(self, scores: Rounded) -> Rounded | None:
        """Return the slope of the soft cap at some scores, made of numbers that are rounded next to 1."""
        cap = self.problem.softcap
        if cap is None:
            return None
        slope = scores.at(lambda scores: gradient.slope_of_cap(scores, cap), 1 / cap)
        return replace(slope, error=slope.error + 8 * self.roundings.u + 2 * self.roundings.exp_error)

    def delta(self, weights: Rounded) -> Rounded:
        """Return Σ P dP (…, n_q, 1), or Σ G O of an output that was stored."""
        output = (weights @ self.value).stored()
        by_output = (self.upstream * output).summed(-1)
        by_weights = (weights * self.d_weights).summed(-1)
        return replace(by_weights, error=np.maximum(by_weights.error, by_output.error))

    def d_scores(self, weights: Rounded, *, centred: bool = True) -> Rounded:
        """Return the gradients of the logits, P (dP - δ)."""
        return weights * (self.d_weights - self.delta(weights) if centred else self.d_weights)

    def through_cap(self, d_scores: Rounded, slope: Rounded | None) -> Rounded:
        """Return the gradients of the scaled scores from those of the logits."""
        return d_scores if slope is None else d_scores * slope

    def of_scores(self, d_scores: Rounded, weights: Rounded) -> list[Rounded]:
        """Return the three gradients from those of the scaled scores."""
        factor = self.scale if self.factor is None else self.factor
        d_query = (d_scores @ self.key).times(factor)
        d_key = (d_scores.transposed @ self.query).times(factor)
        return [d_query, self.of_key_heads(d_key), self.of_key_heads(weights.transposed @ self.upstream)]

    @cached_property
    def right_d_scores(self) -> Rounded:
        """The gradients of the scaled scores."""
        return self.through_cap(self.d_scores(self.weights), self.slope)

    @cached_property
    def right(self) -> tuple[Rounded, Rounded, Rounded]:
        """The three gradients."""
        d_query, d_key, d_value = self.of_scores(self.right_d_scores, self.weights)
        return d_query, d_key, d_value

    def through(self, weights: Rounded) -> list[Rounded]:
        """Return the three gradients under weights that may be wrong."""
        return self.of_scores(self.through_cap(self.d_scores(weights), self.slope), weights)

    def of_key_heads(self, of_heads: Rounded) -> Rounded:
        """Return the gradients of key heads, sums over their query heads."""
        return (
            of_heads if self.problem.group == 1 else self.apart(of_heads).summed(2).like(lambda array: array[:, :, 0])
        )

    def apart(self, of_heads: Rounded) -> Rounded:
        """Return the gradients of each query head, stored, as (batch, key heads, group, …)."""
        batch, _, *rest = of_heads.value.shape
        shape = (batch, self.problem.key.shape[1], self.problem.group, *rest)
        return of_heads.stored().like(lambda array: array.reshape(shape))


RECENT = 64
"""The number of problems whose steps are kept for the next explanations."""


@lru_cache(maxsize=RECENT)
def forward_of(problem: Problem, precision: Precision) -> Forward:
    """Return the steps of a problem under a declared precision."""
    return Forward(problem, roundings_of(precision, problem.dtype))


@lru_cache(maxsize=RECENT)
def backward_of(problem: Backward, precision: Precision) -> BackwardPass:
    """Return the steps of a backward pass under a declared precision."""
    return BackwardPass(problem, roundings_of(precision, problem.dtype))
