"""Exact problems: each query asks for one key by its code, or weighs all keys that it sees alike.

*Gather.* A query scores exactly 0 with its key and so far below 0 with every other key it sees that their weights
vanish. Its output is the value of its key, to the bit, in every format, for any number of keys and in any order of
summation; values are small numbers that differ from token to token, head to head and batch to batch. A key that is
hidden from all queries of its code scores far above 0, so that it would take the place of the one that is asked for.

*Count.* All scores are 0, and the columns of the values each mark a few keys with 1. An output says how many of the
marked keys were seen, and so how often a key was counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature
from attention_tests.engine.calls import Call
from properties.drawing.plans import DEFAULT_DIALECT, Plan
from properties.drawing.problem import Problem
from reference.bounds.formats import FORMATS

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

PRIME = 251
"""Values are integers up to this prime: exact in every format."""
TELLING = 3
"""The number of columns of a value that tell its batch, head and position, so that an explanation can name it."""
CODES = 8
"""The number of keys that are asked for in each head, where there are as many queries and columns."""
MARKED = 64
"""The number of keys that a column marks: counts up to it differ in every format."""


def gap(dtype: str) -> float:
    """Return how far the logits of other keys lie below that of the one that is asked for.

    e^-128 is lost next to any integer and underflows to 0 in a result of at most 32 bits, e^-1024 is 0 in float64.
    """
    return 1024.0 if dtype == "float64" else 128.0


@dataclass(frozen=True, eq=False)
class Gather(Problem):
    """A problem whose queries each ask for one key."""

    asked: Array = field(kw_only=True)
    """The position of the key that each query asks for (batch, heads, n_q); -1 where it sees none that it could."""

    @cached_property
    def rows(self) -> Array:
        """The values that are asked for, (batch, heads, n_q, d_v); those of the last key where none is."""
        value = self.for_each_query_head(self.value)
        return np.take_along_axis(value, self.asked[..., None] % value.shape[-2], axis=-2)


@dataclass(frozen=True, kw_only=True)
class ExactPlan:
    """A plan of an exact problem: `of` has its shapes and options, and no numbers."""

    of: Plan = field(default_factory=Plan)

    @property
    def seed(self) -> int:
        """The seed of all numbers."""
        return self.of.seed

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes and options of the problem."""
        return self.of.depends_on

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        return self.of.call(features)

    def fitted(self, call: Call) -> Self | None:
        """Return the plan in the sizes of a call; None where two sizes that are one here would not be there."""
        of = self.of.fitted(call)
        return None if of is None else replace(self, of=of)

    def with_seed(self, seed: int) -> Self:
        """Return the plan with another seed."""
        return replace(self, of=self.of.with_seed(seed))

    def simpler(self) -> Iterator[Self]:
        """Yield plans that are smaller by one size or option, the smallest first, with columns that tell values apart.

        Values are as wide as keys where an implementation takes no others.
        """
        simpler = (
            plan for plan in self.of.simpler() if _tells(plan.d_v, self.of.d_v) and _tells(plan.d_k, self.of.d_k)
        )
        return (replace(self, of=plan) for plan in simpler)


def _tells(width: int, before: int) -> bool:
    """Tell whether a width tells values apart, or does so as little as it did before."""
    return width >= min(TELLING, before)


@dataclass(frozen=True, kw_only=True)
class GatherPlan(ExactPlan):
    """A plan of a problem in which each query asks for one key."""

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Gather:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        return _gather(_in_logits(self.of.build_zeros(dtype, features, dialect)))


@dataclass(frozen=True, kw_only=True)
class CountPlan(ExactPlan):
    """A plan of a problem in which every query weighs all keys that it sees alike."""

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Problem:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        problem = _in_logits(self.of.build_zeros(dtype, features, dialect))
        key = problem.random.integers(-3, 4, problem.key.shape).astype(float)
        return replace(_with_numbers(problem, key=key, value=_marks(problem)), axes={})


def _in_logits(problem: Problem) -> Problem:
    """Return the problem with a bias and a soft cap that leave a logit of 0 as it is or hide its key."""
    hides = -2 * gap(problem.dtype)
    bias = problem.bias
    if bias is not None:
        bias = np.where(np.isneginf(bias), bias, np.where(bias >= -1, 0.0, hides))
    softcap = None if problem.softcap is None else -2 * hides
    return replace(problem, bias=bias, softcap=softcap)


def _with_numbers(problem: Problem, **arrays: Array) -> Problem:
    """Return the problem with numbers that are exact in every format: rounding millions of them takes its time."""
    for array in arrays.values():
        array.flags.writeable = False
    return replace(problem, **arrays)  # type: ignore[arg-type]  # the names of arrays


def _marks(problem: Problem) -> Array:
    """Return values whose columns each mark a few keys of each batch and head."""
    batch, heads, n_k, d_v = problem.value.shape
    period = max(d_v, math.ceil(n_k / MARKED))
    first = problem.random.integers(0, period, (batch, heads, 1, 1))
    marked: Array = (np.arange(n_k)[:, None] + first) % period == np.arange(d_v)
    return marked.astype(float)


def _names(shape: tuple[int, ...], dtype: str) -> Array:
    """Return values (batch, heads, n_k, d_v) that differ from row to row: integers, or of many keys parts of one.

    Who divides by the sum of the weights at the end adds up the values of keys of one score: their sum has to fit.
    """
    batch, heads, n_k, d_v = shape
    run = np.arange(batch * heads, dtype=np.int32).reshape(batch, heads, 1, 1)
    token, column = np.arange(n_k, dtype=np.int32)[:, None], np.arange(d_v, dtype=np.int32)
    # A matrix that is invertible modulo the prime.
    of_token, of_block, of_run = (np.array(row, np.int32)[column % 3] for row in ((1, 2, 1), (3, 1, 4), (7, 5, 2)))
    mixed = token % PRIME * of_token + token // PRIME * of_block + run * of_run + 13 * column
    names: Array = mixed % PRIME + 1
    room = FORMATS[dtype].max / (2 * PRIME * max(1, n_k))
    return names.astype(float) * 2.0 ** min(0, math.floor(math.log2(room)))


def _gather(problem: Problem) -> Gather:
    """Return the problem with queries that each ask for one of the keys they see."""
    batch, heads, n_q, d_k = problem.query.shape
    key_heads, n_k = problem.key.shape[1:3]
    rows = (batch * key_heads, problem.group * n_q)
    seen = problem.seen.reshape(*rows, n_k)
    weighed = seen if problem.bias is None else (problem.seen & (problem.bias == 0)).reshape(seen.shape)
    query, key, asked = np.zeros((*rows, d_k)), np.zeros((rows[0], n_k, d_k)), np.empty(rows, int)
    random, columns = problem.random, min(CODES, rows[1], d_k)
    order = _last_and_first_before(random.permutation(n_k))
    for run in range(rows[0]):
        codes = _codes(weighed[run], ~seen[run], np.roll(order, -run * columns), run, columns, random)
        query[run], key[run], asked[run] = _spread(codes, d_k, random)
    factor = 1 / math.sqrt(d_k) if problem.scale is None else problem.scale
    if factor == 0:
        asked = np.where(weighed.sum(axis=-1) == 1, weighed.argmax(axis=-1), -1)
    drawn = _with_numbers(
        problem,
        query=(query_size(problem.dtype, factor) * query).reshape(problem.query.shape),
        key=key.reshape(problem.key.shape),
        value=_names(problem.value.shape, problem.dtype),
    )
    inherited = {one.name: getattr(drawn, one.name) for one in fields(drawn)} | {"axes": {}}
    return Gather(**inherited, asked=asked.reshape(batch, heads, n_q))


def query_size(dtype: str, factor: float) -> float:
    """Return the component of a query that puts its other keys twice the gap below: a soft cap halves it."""
    if factor == 0:
        return 0.0
    return math.copysign(2.0 ** math.ceil(math.log2(2 * gap(dtype) / abs(factor))), factor)


def _last_and_first_before(order: Array) -> Array:
    """Return the order with the last and the first position in front: these are the ones that are forgotten."""
    ends = [len(order) - 1, 0][: len(order)]
    return np.concatenate([ends, order[~np.isin(order, ends)]])


class _Codes(NamedTuple):
    """For one head: the code of each row, -1 for none (rows), the key of each code (codes), and all keys in codes."""

    of_row: Array
    asked_for: Array
    key: Array
    """The keys (n_k, codes): 0 for the key of the code, 1 where it is hidden from all rows of the code, and else -1."""


def _codes(  # noqa: PLR0913, PLR0917 - what is seen of one head, and how its codes are chosen
    weighed: Array, hidden: Array, order: Array, run: int, columns: int, random: np.random.Generator
) -> _Codes:
    """Give up to `columns` keys a code, the first of `order` that fit, so that as many rows as possible have one.

    Each key is asked for by a row, where enough rows see it: of the first head the last key by the first row.
    """
    rows, n_k = weighed.shape
    taken, sees = np.zeros(n_k, bool), weighed.any(axis=-1)
    without = sees.copy()
    for _ in range(columns if sees.any() else 0):
        open_rows = np.flatnonzero(without if without.any() else sees)
        row = open_rows[random.integers(len(open_rows))]
        free = order[weighed[row, order] & ~taken[order]]
        if free.size:
            taken[free[0]] = True
            without &= ~weighed[:, free[0]]
    asked_for = np.flatnonzero(taken)
    if not asked_for.size:
        return _Codes(np.full(rows, -1), asked_for, np.zeros((n_k, 0)))
    luck = random.random((rows, len(asked_for)))
    luck[np.arange(rows), -1 - (np.arange(rows) + run) % len(asked_for)] += 1
    luck = np.where(weighed[:, asked_for], luck, -1)
    of_row = np.where(luck.max(axis=-1) >= 0, luck.argmax(axis=-1), -1)
    key = np.full((n_k, len(asked_for)), -1.0)
    for code, token in enumerate(asked_for):
        asking = of_row == code
        key[hidden[asking].all(axis=0) & asking.any(), code] = 1
        key[token, code] = 0
    return _Codes(of_row, asked_for, key)


def _spread(codes: _Codes, d_k: int, random: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return query (rows, d_k), key (n_k, d_k) and asked (rows): codes repeat over the columns, and rows use any."""
    rows, count = len(codes.of_row), len(codes.asked_for)
    query, asked = np.zeros((rows, d_k)), np.full(rows, -1)
    if not count:
        return query, np.zeros((len(codes.key), d_k)), asked
    found = np.flatnonzero(codes.of_row >= 0)
    of_row = codes.of_row[found]
    query[found, of_row + count * random.integers(0, (d_k - 1 - of_row) // count + 1)] = 1
    asked[found] = codes.asked_for[of_row]
    return query, codes.key[:, np.arange(d_k) % count], asked
