"""Inputs for the document's claims: shrunk counterexamples and random samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from attention_tests import Dialect, Feature
from attention_tests.engine.law import Stream
from attention_tests.engine.profiles import GATE_SEED
from properties.drawing.problem import Problem, Sentence, in_format

T = TypeVar("T")

SEARCH = settings(database=None, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))

_NUMBERS = st.integers(-3, 3)


def only(*plans: Any) -> Stream:
    """Return a stream of just these plans."""
    return Stream(st.sampled_from(plans), at_least=len(plans))


def _smallest(strategy: SearchStrategy[T], refutes: Callable[[T], bool]) -> T:
    """Return the shrunk counterexample of a deterministic search."""
    return find(strategy, refutes, settings=SEARCH, random=Random(GATE_SEED))  # noqa: S311 - not for secrets


class FixedShapes:
    """A plan whose shapes do not depend on the implementation."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """No features: the shapes are fixed."""
        return frozenset()


@dataclass(frozen=True)
class NotSelfDominant(FixedShapes):
    """The smallest queries and keys found for which a token scores another token higher than itself."""

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Problem:
        """Return them as a problem in `dtype`."""
        query, key = (
            np.array(numbers, float).reshape(1, 1, -1, 1) for numbers in zip(*_not_self_dominant(), strict=True)
        )
        # No axes to shrink: it is the smallest, and less of it is no counterexample.
        return Problem(in_format(query, dtype), in_format(key, dtype), in_format(key, dtype), dtype, axes={})


@cache
def _not_self_dominant() -> list[tuple[int, int]]:
    """Return a query and a key for each token, of which the first scores the second higher than itself."""
    words = st.lists(st.tuples(_NUMBERS, _NUMBERS), min_size=2, max_size=4)
    return _smallest(words, lambda words: words[0][0] * words[1][1] > words[0][0] * words[0][1])


@dataclass(frozen=True)
class QueryIsNotValue(FixedShapes):
    """The smallest sentence found whose queries differ from its values."""

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Sentence:
        """Return it in `dtype`."""
        x, w_query, w_value = (in_format(np.array([[float(number)]]), dtype) for number in _query_is_not_value())
        return Sentence(x, w_query, w_query, w_value, dtype)


@cache
def _query_is_not_value() -> tuple[int, int, int]:
    """Return a token, a query matrix and a value matrix, all of width one."""
    return _smallest(st.tuples(_NUMBERS, _NUMBERS, _NUMBERS), lambda one: one[0] * one[1] != one[0] * one[2])


@dataclass(frozen=True, kw_only=True)
class Sample(FixedShapes):
    """`runs` independent heads of standard normal queries and keys, `d_k` wide; the values are the keys."""

    runs: int
    queries: int
    keys: int
    d_k: int

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Problem:
        """Draw the sample, the same in every run, so that no verdict changes from run to run."""
        random = np.random.default_rng([GATE_SEED, self.runs, self.queries, self.keys, self.d_k])
        shapes = ((1, self.runs, length, self.d_k) for length in (self.queries, self.keys))
        query, key = (in_format(random.standard_normal(shape), dtype) for shape in shapes)
        # No axes to shrink: a part of a random sample proves nothing.
        return Problem(query, key, key, dtype, axes={})
