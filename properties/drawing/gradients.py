"""Problems with an upstream gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature, Step
from attention_tests.engine.calls import Call
from attention_tests.engine.law import Stream
from properties.drawing.plans import DEFAULT_DIALECT, Plan
from properties.drawing.problem import Problem, in_format
from properties.drawing.streams import ANY_PROBLEM

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Array]


class Gradients(NamedTuple):
    """The gradients of the query (batch, heads, n_q, d_k), of the key (…, n_k, d_k) and of the value (…, n_k, d_v)."""

    query: Array
    key: Array
    value: Array


@dataclass(frozen=True, eq=False)
class Backward(Problem):
    """One backward pass to compute: a problem, and the gradient of its output (batch, heads, n_q, d_v)."""

    upstream: Array = field(kw_only=True)

    @property
    def inputs(self) -> tuple[Array, ...]:
        """The arrays that a call is given first: query, key, value and the upstream gradient."""
        return *super().inputs, self.upstream

    def with_other_numbers(self) -> Self:
        """Return a problem of the same shapes with other numbers."""
        return super().with_other_numbers().with_arrays(upstream=1 - self.upstream)

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that the gradients depend on."""
        return *super().content, self.upstream.shape, self.upstream.tobytes()


def _few(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.where(random.random(shape) < 0.2, random.standard_normal(shape), 0.0)


def _one_large(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    upstream = random.uniform(0.5, 1, shape)
    upstream[..., 0, :] = 2.0**14
    return upstream


def _lowered(problem: Problem) -> Problem:
    """Return the problem with a first column of query and key that takes 800 from every scaled score."""
    query, key = problem.query.copy(), problem.key.copy()
    query[..., 0], key[..., 0] = 40, -20 * problem.d_k**0.5
    return problem.with_arrays(query=query, key=key)


UPSTREAMS: dict[str, Draw] = {
    "ones": lambda _random, shape: np.ones(shape),
    "small integers": lambda random, shape: random.integers(-3, 4, shape).astype(float),
    "positive": lambda random, shape: random.uniform(0.5, 2, shape),
    "normal": lambda random, shape: random.standard_normal(shape),
    "few": _few,
}
"""Upstream gradients by name. Positive ones prevent cancellation where no value is negative, as in the amplifier."""


@dataclass(frozen=True)
class BackwardPlan:
    """A plan of a backward pass."""

    forward: Plan = field(default_factory=Plan)
    one_large: bool = False
    """Whether the first upstream gradient is so large that a sum in 16 bits would lose all later ones."""
    low_scores: bool = False
    """Whether all scores are near -800, where exp is 0 in every format unless the largest score is subtracted."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes and options of the problem."""
        return self.forward.depends_on

    @property
    def seed(self) -> int:
        """The seed of all numbers."""
        return self.forward.seed

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        return replace(self.forward.call(features), step=Step.GRADIENT)

    def fitted(self, call: Call) -> BackwardPlan | None:
        """Return the plan in the sizes of a call; None where two sizes that are one here would not be there."""
        forward = self.forward.fitted(call)
        return None if forward is None else replace(self, forward=forward)

    def with_seed(self, seed: int) -> BackwardPlan:
        """Return the plan with another seed."""
        return replace(self, forward=self.forward.with_seed(seed))

    def simpler(self) -> Iterator[BackwardPlan]:
        """Yield plans that are smaller by one size or option, the smallest first."""
        return (replace(self, forward=plan) for plan in self.forward.simpler())

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Backward:
        """Build the problem, and draw an upstream gradient: all ones for the seed 0."""
        problem = self.forward.build(dtype, features, dialect)
        if self.low_scores:
            problem = _lowered(problem)
        kind = problem.random.choice(list(UPSTREAMS)) if problem.seed else "ones"
        draw = _one_large if self.one_large else UPSTREAMS[kind]
        drawn = draw(problem.random, (*problem.query.shape[:-1], problem.value.shape[-1]))
        return with_upstream(problem, drawn)


def with_upstream(problem: Problem, upstream: Array) -> Backward:
    """Return a problem with an upstream gradient, rounded to its dtype, with axes of its own to be shrunk along."""
    axes = problem.axes | {"upstream": problem.axes["query"][:-1] + problem.axes["value"][-1]}
    inherited = {one.name: getattr(problem, one.name) for one in fields(problem)} | {"axes": axes}
    return Backward(**inherited, upstream=in_format(upstream, problem.dtype))


LIMIT_OF_GRADIENT_PROBLEMS = 33
"""The number of problems: the bounds of three gradients cost as much as three problems."""


def gradient_problems(stream: Stream, at_most: int = LIMIT_OF_GRADIENT_PROBLEMS) -> Stream:
    """Return the same problems, each with an upstream gradient."""
    return Stream(stream.strategy, lambda plan: BackwardPlan(forward=stream.narrow(plan)), at_most)


ANY_GRADIENT_PROBLEM = gradient_problems(ANY_PROBLEM)
