"""What the document's claims are tried on: counterexamples that are searched for and shrunk, and random samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from attention_tests import Dialect, Feature
from attention_tests.engine.law import Stream
from attention_tests.engine.profiles import GATE_SEED
from properties.drawing.problem import Problem, Sentence, in_format

T = TypeVar("T")

SEARCH = settings(database=None, suppress_health_check=list(HealthCheck))

_NUMBERS = st.integers(-3, 3)


def only(*plans: Any) -> Stream:
    """Just these plans."""
    return Stream(st.sampled_from(plans))


def _smallest(strategy: SearchStrategy[T], refutes: Callable[[T], bool]) -> T:
    """Search for a counterexample, always the same way, and shrink it."""
    return find(strategy, refutes, settings=SEARCH, random=Random(GATE_SEED))  # noqa: S311 - not for secrets


class Fixed:
    """A plan of shapes that are its own."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """None of the features."""
        return frozenset()


@dataclass(frozen=True)
class NotSelfDominant(Fixed):
    """The smallest queries and keys found with which a word scores another word higher than itself."""

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Problem:
        """Find them, and write them in `dtype`."""
        query, key = (
            np.array(numbers, float).reshape(1, 1, -1, 1) for numbers in zip(*_not_self_dominant(), strict=True)
        )
        return Problem(in_format(query, dtype), in_format(key, dtype), in_format(key, dtype), dtype)


@cache
def _not_self_dominant() -> list[tuple[int, int]]:
    """Return words of which the first one scores the second one higher than itself: a query and a key for each."""
    words = st.lists(st.tuples(_NUMBERS, _NUMBERS), min_size=2, max_size=4)
    return _smallest(words, lambda words: words[0][0] * words[1][1] > words[0][0] * words[0][1])


@dataclass(frozen=True)
class QueryIsNotValue(Fixed):
    """The smallest sentence found whose queries are not its values."""

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Sentence:
        """Find it, and write it in `dtype`."""
        x, w_query, w_value = (in_format(np.array([[float(number)]]), dtype) for number in _query_is_not_value())
        return Sentence(x, w_query, w_query, w_value, dtype)


@cache
def _query_is_not_value() -> tuple[int, int, int]:
    """Return a word, a matrix of queries and one of values, all of width one."""
    return _smallest(st.tuples(_NUMBERS, _NUMBERS, _NUMBERS), lambda one: one[0] * one[1] != one[0] * one[2])


@dataclass(frozen=True)
class Sample(Fixed):
    """`runs` independent heads of standard normal queries and keys, `d_k` wide; the values are the keys."""

    runs: int
    queries: int
    keys: int
    d_k: int

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect) -> Problem:
        """Draw the sample: the same one every time, so that a verdict does not change from run to run."""
        random = np.random.default_rng([GATE_SEED, self.runs, self.queries, self.keys, self.d_k])
        shapes = ((1, self.runs, length, self.d_k) for length in (self.queries, self.keys))
        query, key = (in_format(random.standard_normal(shape), dtype) for shape in shapes)
        # No axis may be cut: what is left of a sample after shrinking is no sample.
        return Problem(query, key, key, dtype, axes={})
