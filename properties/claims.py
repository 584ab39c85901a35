"""What the claims of the document are tried on: counterexamples that are searched for and shrunk, and random samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, find, settings
from hypothesis.strategies import SearchStrategy

from attention_tests import Feature
from attention_tests.minimise import minimise
from attention_tests.profiles import GATE_SEED
from properties.problems import Problem, Sentence, in_format, problems, sentences
from reference import matrix

EVERYTHING = frozenset(Feature)
SEARCH = settings(database=None, max_examples=1000, suppress_health_check=list(HealthCheck))


def _smallest(strategy: SearchStrategy[Any], refutes: Callable[[Any], bool]) -> Any:
    """Search for a plan whose input refutes a claim, and make that input small."""
    plan = find(
        strategy, lambda plan: refutes(plan.build("float64", EVERYTHING)), settings=SEARCH, random=Random(GATE_SEED)
    )
    return minimise(plan.build("float64", EVERYTHING), refutes)


@dataclass(frozen=True)
class NotSelfDominant:
    """The smallest queries and keys found of which a word gives another word the larger weight."""

    def build(self, dtype: str, _features: frozenset[Feature]) -> Problem:
        """Find them, and write them in `dtype`."""
        found = _not_self_dominant()
        return Problem(*(in_format(array, dtype) for array in (found.query, found.key, found.value)), dtype)


@cache
def _not_self_dominant() -> Problem:
    return _smallest(problems(regimes=("small integers",), batches_and_heads=((1, 1),)), prefers_another)


def prefers_another(problem: Problem) -> bool:
    """Tell whether the problem is one of self-attention in which the first word scores the second one higher than itself."""
    if problem.query.shape != problem.key.shape or problem.query.shape[-2] < 2:
        return False
    scores = matrix.score(problem.query, problem.key)[0, 0]
    return bool(scores[0, 1] > scores[0, 0])


@dataclass(frozen=True)
class QueryIsNotValue:
    """The smallest sentence found whose queries are not its values."""

    def build(self, dtype: str, _features: frozenset[Feature]) -> Sentence:
        """Find it, and write it in `dtype`."""
        found = _query_is_not_value()
        arrays = (found.x, found.w_query, found.w_key, found.w_value)
        return Sentence(*(in_format(array, dtype) for array in arrays), dtype)


@cache
def _query_is_not_value() -> Sentence:
    return _smallest(sentences(regimes=("small integers",)), queries_differ_from_values)


def queries_differ_from_values(sentence: Sentence) -> bool:
    """Tell whether queries and values have one shape, and are not the same."""
    queries, values = matrix.project(sentence.x, sentence.w_query), matrix.project(sentence.x, sentence.w_value)
    return queries.shape == values.shape and not np.array_equal(queries, values)


@dataclass(frozen=True)
class Sample:
    """`runs` independent heads of standard normal queries, keys and values, all of them `d_k` wide."""

    runs: int
    queries: int
    keys: int
    d_k: int

    def build(self, dtype: str, _features: frozenset[Feature]) -> Problem:
        """Draw the sample: the same one every time, so that a verdict does not change from run to run."""
        random = np.random.default_rng([GATE_SEED, self.runs, self.queries, self.keys, self.d_k])
        shapes = ((1, self.runs, length, self.d_k) for length in (self.queries, self.keys, self.keys))
        arrays = (in_format(random.standard_normal(shape), dtype) for shape in shapes)
        # No axis may be cut: what is left of a sample after shrinking is no sample.
        return Problem(*arrays, dtype, axes={})
