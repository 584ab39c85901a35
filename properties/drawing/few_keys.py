"""Problems in which each query weighs a few neighbouring keys, and no other, however many there are.

Where thousands of keys weigh alike, a bound is wide and each gradient is next to nothing. Here weights are of ordinary
size, also at the ends of blocks, and so are the gradients of queries and keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from attention_tests import Dialect, Feature, Step
from attention_tests.engine.calls import Call
from properties.drawing.exact import CODES, Array, ExactPlan, query_size
from properties.drawing.gradients import Backward, with_upstream
from properties.drawing.plans import DEFAULT_DIALECT
from properties.drawing.problem import Problem

NEIGHBOURS = 3
"""The number of keys that a query weighs, at most."""
BELOW = (0.0, 0.5, 1.0, 1.5)
"""Distances of their logits below the largest."""
OTHERS = 4
"""Factor by which all other logits lie farther below than in exact problems: their weights are 0 in float64, too."""


@dataclass(frozen=True, kw_only=True)
class FewKeysPlan(ExactPlan):
    """A plan of a problem in which each query weighs a few keys, and no other."""

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Problem:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        problem = self.of.build_zeros(dtype, features, dialect)
        query, key = _query_and_key(problem)
        drawn = problem.random.standard_normal(problem.value.shape)
        return problem.with_arrays(query=query, key=key, value=np.asarray(drawn))


@dataclass(frozen=True, kw_only=True)
class FewKeysBackwardPlan(ExactPlan):
    """A plan of a backward pass in which each query weighed a few keys, and no other."""

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        return replace(self.of.call(features), step=Step.GRADIENT)

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Backward:
        """Build the problem in `dtype`, and draw an upstream gradient."""
        problem = FewKeysPlan(of=self.of).build(dtype, features, dialect)
        shape = (*problem.query.shape[:-1], problem.value.shape[-1])
        # The numbers after those of the values: others would tell no row of the one from a row of the other.
        numbers = problem.random.standard_normal(problem.value.size + math.prod(shape))
        return with_upstream(problem, np.reshape(numbers[problem.value.size :], shape))


def _query_and_key(problem: Problem) -> tuple[Array, Array]:
    """Return queries of one component each, and keys that are near 0 in that one and far below in all others."""
    (batch, _, n_q, d_k), (_, key_heads, n_k, _) = problem.query.shape, problem.key.shape
    random, columns = problem.random, min(CODES, d_k, n_k)
    factor = 1 / math.sqrt(d_k) if problem.scale is None else problem.scale
    size = query_size(problem.dtype, factor)
    seen = problem.seen.reshape(batch * key_heads, problem.group * n_q, n_k)
    query, key = np.zeros((*seen.shape[:2], d_k)), np.full((len(seen), n_k, d_k), -1.0)
    for run, sees in enumerate(seen):
        weighed = _neighbours(n_k, columns, random)
        below = np.where(weighed, random.choice(BELOW, weighed.shape) / abs(size * factor or 1), OTHERS)
        key[run] = -below[:, np.arange(d_k) % columns]
        found, column = _columns(sees, weighed, random)
        query[run, found, column + columns * random.integers(0, (d_k - 1 - column) // columns + 1)] = size
    return query.reshape(problem.query.shape), key.reshape(problem.key.shape)


def _neighbours(n_k: int, columns: int, random: np.random.Generator) -> Array:
    """Return which keys each column is about (n_k, columns): the last, the first, those at a tile's edge, others."""
    edges = [edge - 1 for edge in (64, 128, 256, 1024, 4096, 12288) if edge < n_k]
    places = [n_k - 2, 0, *random.permutation(edges)[: columns // 2], *random.integers(0, n_k, columns)]
    weighed = np.zeros((n_k, columns), bool)
    for column, place in enumerate(places[:columns]):
        weighed[max(0, place) : max(0, place) + random.integers(2, NEIGHBOURS + 1), column] = True
    return weighed


def _columns(sees: Array, weighed: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """Return the rows that see what a column is about, and for each of them a column of which it sees most."""
    most = sees.astype(float) @ weighed
    if len(sees) and most[0, 0] > 1:
        most[0, 1:] = 0  # so that the last keys are weighed by some row
    luck = np.where(most > 0, np.minimum(most, 2) + random.random(most.shape), 0)
    found = np.flatnonzero(luck.any(axis=-1))
    return found, luck[found].argmax(axis=-1)
