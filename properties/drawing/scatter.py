"""The way back of exact problems: the gradient of each value is the sum of what the queries that asked for it got."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from attention_tests import Dialect, Feature, FullyMasked, Step
from attention_tests.engine.calls import Call
from properties.drawing.exact import Array, ExactPlan, Gather, GatherPlan
from properties.drawing.gradients import Backward
from properties.drawing.plans import DEFAULT_DIALECT
from properties.drawing.problem import in_format


@dataclass(frozen=True, eq=False)
class Scatter(Gather, Backward):
    """A problem whose queries each ask for one key, and upstream gradients of -1, 0 and 1.

    Sums of up to 256 of these are exact in every format, in any order.
    """

    @cached_property
    def d_value(self) -> Array:
        """The gradient of the value, (batch, key heads, n_k, d_v): each upstream gradient at the key asked for."""
        batch, _, n_k, _ = self.value.shape
        key_heads = np.arange(self.query.shape[1])[:, None] // self.group
        place = np.arange(batch)[:, None, None], key_heads, self.asked % n_k
        d_value = np.zeros_like(self.value)
        np.add.at(d_value, place, self.upstream)
        return in_format(d_value, self.dtype)

    @cached_property
    def owed(self) -> Array:
        """The key heads of which it is owed, (batch, key heads, 1): not where a fully masked row adds 0 · NaN to it."""
        batch, key_heads = self.key.shape[:2]
        if self.dialect.fully_masked is not FullyMasked.NAN:
            return np.ones((batch, key_heads, 1), bool)
        all_see = self.seen.any(axis=-1).reshape(batch, key_heads, -1)
        return np.asarray(all_see.all(axis=-1, keepdims=True))


@dataclass(frozen=True, kw_only=True)
class ScatterPlan(ExactPlan):
    """A plan of a backward pass in which each query asked for one key."""

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        return replace(self.of.call(features), step=Step.GRADIENT)

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Scatter:
        """Build the problem in `dtype`."""
        return scattered(GatherPlan(of=self.of).build(dtype, features, dialect))


def scattered(problem: Gather) -> Scatter:
    """Return the backward pass of a gather problem, with no upstream gradient for a query that asks for no key."""
    upstream = problem.random.integers(-1, 2, problem.rows.shape).astype(float)
    upstream[problem.asked < 0] = 0
    upstream.flags.writeable = False
    return Scatter(**{one.name: getattr(problem, one.name) for one in fields(problem)}, upstream=upstream)
