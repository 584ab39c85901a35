"""Gather problems for the places of numbers in memory: repeated, beyond the limit of a grid, and on the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature
from attention_tests.execution.placement import NEAR, Placement
from properties.drawing.exact import PRIME, Gather, GatherPlan, gap
from properties.drawing.gradients import Backward
from properties.drawing.plans import DEFAULT_DIALECT, Plan
from properties.drawing.problem import Problem, in_format

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


PLACEMENTS_OF_A_PROBLEM = 4
"""Of the placements, as many as each of a hundred random problems is tried in."""


def some_placements(problem: Problem) -> list[Placement]:
    """Return a few of the placements, which differ from problem to problem."""
    return [NEAR[place] for place in problem.random.permutation(len(NEAR))[:PLACEMENTS_OF_A_PROBLEM]]


@dataclass(frozen=True, kw_only=True)
class RepeatedPlan:
    """A plan of a gather problem that is the same in several batches and heads."""

    of: Plan = field(default_factory=Plan)
    """The one that is repeated."""
    batches: int = 1
    """The number of times that its batches are repeated."""
    heads: int = 1
    """The number of times that its heads are repeated."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes of the problem."""
        return self.of.depends_on

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Gather:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        once, times = GatherPlan(of=self.of).build(dtype, features, dialect), (self.batches, self.heads)
        query, key, value = (np.tile(array, (*times, 1, 1)) for array in once.inputs)
        return replace(once, query=query, key=key, value=value, asked=np.tile(once.asked, (*times, 1)))


@dataclass(frozen=True, kw_only=True)
class GridPlan:
    """A plan of a gather problem with very many batches and heads: one query each, which asks for one of two keys."""

    batch: int = 1
    heads: int = 1
    width: int = 4

    @property
    def depends_on(self) -> frozenset[Feature]:
        """No features: the shapes are those that every implementation with heads takes."""
        return frozenset({Feature.LENGTHS})

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Gather:
        """Build the problem in `dtype`."""
        keys = 2
        queries = 1 if Feature.LENGTHS in features else keys
        runs = np.arange(self.batch * self.heads).reshape(self.batch, self.heads, 1)
        asked = (runs + np.arange(queries)) % keys
        query = np.zeros((self.batch, self.heads, queries, self.width))
        np.put_along_axis(query, asked[..., None], 2.0 ** math.ceil(math.log2(gap(dtype) * math.sqrt(self.width))), -1)
        key = np.broadcast_to(np.eye(keys, self.width) - 1, (self.batch, self.heads, keys, self.width))
        digits = (keys * runs + np.arange(keys))[..., None] // PRIME ** np.arange(self.width)
        query, key, value = (in_format(array, dtype) for array in (query, key, digits % PRIME + 1.0))
        return Gather(query, key, value, dtype, axes={}, dialect=dialect, asked=asked)


@dataclass(frozen=True, eq=False)
class Scatter(Gather, Backward):
    """A backward pass of queries that each ask for one key: the value of a key gets what comes for its queries."""

    @cached_property
    def sums(self) -> Array:
        """The gradient of the value: the sum of the upstream gradients of the queries that ask for each key."""
        batch, key_heads, n_k, _ = self.key.shape
        ours = self.asked.reshape(batch, key_heads, -1)
        asks = (ours[..., None, :] == np.arange(n_k)[:, None]).astype(float)
        return np.asarray(asks @ self.upstream.reshape(*ours.shape, -1))


LARGEST_SUM = 256
"""Integers up to it are exact in every format."""


@dataclass(frozen=True, kw_only=True)
class ScatterPlan:
    """A plan of a backward pass in which each query asks for one key."""

    of: Plan = field(default_factory=Plan)
    """The shapes."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes of the problem."""
        return self.of.depends_on

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Scatter:
        """Build the problem, and draw an upstream gradient of integers whose sums are exact in every format."""
        problem = GatherPlan(of=self.of).build(dtype, features, dialect)
        *rows, d_v = problem.rows.shape
        largest = LARGEST_SUM // (rows[1] // problem.key.shape[1] * rows[2])
        upstream = problem.random.integers(1, largest + 1, (*rows, d_v)).astype(float)
        inherited = {one.name: getattr(problem, one.name) for one in fields(problem)}
        return Scatter(**inherited, upstream=in_format(upstream, dtype))
