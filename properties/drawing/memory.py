"""Gather problems for the places of numbers in memory: repeated, and beyond the limit of a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature
from attention_tests.execution.placement import NEAR, Placement
from properties.drawing.exact import PRIME, Gather, GatherPlan, query_size
from properties.drawing.gradients import Backward, with_upstream
from properties.drawing.options import Options
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
    """Key heads."""
    group: int = 1
    """Query heads for each key head."""
    width: int = 4

    @property
    def depends_on(self) -> frozenset[Feature]:
        """That there may be one query: all else is what every implementation with such heads takes."""
        return frozenset({Feature.LENGTHS})

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Gather:
        """Build the problem in `dtype`."""
        keys = 2
        queries = 1 if Feature.LENGTHS in features else keys
        runs = np.arange(self.batch * self.heads).reshape(self.batch, self.heads, 1)
        query_heads = np.arange(self.batch * self.heads * self.group).reshape(self.batch, -1, 1)
        asked = (query_heads + np.arange(queries)) % keys
        query = np.zeros((*query_heads.shape[:2], queries, self.width))
        np.put_along_axis(query, asked[..., None], query_size(dtype, 1 / math.sqrt(self.width)), -1)
        key = np.broadcast_to(np.eye(keys, self.width) - 1, (self.batch, self.heads, keys, self.width))
        digits = (keys * runs + np.arange(keys))[..., None] // PRIME ** np.arange(self.width)
        query, key, value = (in_format(array, dtype) for array in (query, key, digits % PRIME + 1.0))
        return Gather(query, key, value, dtype, axes={}, dialect=dialect, asked=asked)


def weighed_alike(problem: Gather) -> Backward:
    """Return a backward pass of the same shapes in which keys weigh alike: all gradients are other than zero."""
    query = np.ones_like(problem.query)
    key = np.roll(np.broadcast_to(np.eye(*problem.key.shape[-2:]), problem.key.shape), 1, axis=-1)
    upstream = problem.random.choice((-1.0, 1.0), (*query.shape[:-1], problem.value.shape[-1]))
    alike = Problem(query, key, problem.value, problem.dtype, seed=problem.seed, dialect=problem.dialect)
    return with_upstream(alike, upstream)


SHAPES = (
    Plan(batch=2, heads=2, queries=3, keys=4, d_k=4, d_v=4),
    Plan(batch=3, heads=3, queries=5, keys=8, d_k=8, d_v=8, seed=1),
    Plan(batch=3, heads=2, queries=1, keys=16, d_k=8, d_v=5, seed=2),
)
"""Shapes whose inputs are put elsewhere in memory."""
SHAPES_UNDER_OPTIONS = (
    Plan(batch=2, heads=2, queries=4, keys=4, d_k=4, d_v=4),
    Plan(batch=2, heads=3, queries=5, keys=6, d_k=4, d_v=4),
    Plan(batch=2, heads=2, keys=65, d_k=64, d_v=64, options=Options(group=2)),
    Plan(batch=2, heads=2, queries=9, keys=70, d_k=8, d_v=8, options=Options(causal=True)),
    Plan(batch=2, heads=2, queries=9, keys=8, d_k=8, d_v=8, options=Options(window=3, group=3)),
)
"""Also decoding, more keys than a tile has, and an option beside the mask or the bias."""
PLANS_WITH_A_MASK = tuple(replace(plan, options=replace(plan.options, mask="most")) for plan in SHAPES_UNDER_OPTIONS)
PLANS_WITH_A_BIAS = tuple(
    replace(plan, options=replace(plan.options, bias="minus infinity")) for plan in SHAPES_UNDER_OPTIONS
)
GRIDS = (GridPlan(batch=65_537), GridPlan(batch=2, heads=32_771))
