"""Histories of key/value caches: appended tokens, and queries that attend to them.

A cache is a state machine: its state is the tokens so far, `append` adds to them, and `attend` reads them. Which call
may come next depends on earlier calls and on no output. So a history is drawn whole, as any other plan is: laws and
implementations share it, and it is shrunk call by call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from hypothesis import strategies as st

from attention_tests import Dialect, Feature
from attention_tests.engine.law import Stream
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Input, Problem
from properties.drawing.streams import ANY_PROBLEM

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

DRAWN_CALLS = 20
"""The number of calls in a history: 5 of 25 histories then find any planted defect of a cache, and 1 with ten calls."""


@dataclass(frozen=True)
class Call:
    """One call of a named cache: `append` takes the next `count` tokens, `attend` the next `count` queries."""

    method: str
    count: int = 1
    cache: str = "a"

    def __repr__(self) -> str:
        return f"{self.cache}.{self.method}({self.count})"


def one_line_of_calls(calls: Iterable[Call]) -> str:
    """Return a history as one line of text, in which repeated calls appear once with their number."""
    repeated = ((call, len(list(times))) for call, times in groupby(calls))
    return ", ".join(f"{call}" if times == 1 else f"{times} * {call}" for call, times in repeated)


class Part(NamedTuple):
    """A call with the tokens or queries that it takes."""

    call: Call
    taken: slice


@dataclass(frozen=True, eq=False)
class History(Input):
    """Tokens and queries, float64 arrays that are exact in `dtype`, and the cache calls that take them.

    query (batch, heads, all queries, d_k), key (batch, key heads, all tokens, d_k), value (batch, key heads, all
    tokens, d_v). Each `append` takes the next tokens, and each `attend` the next queries.
    """

    query: Array
    key: Array
    value: Array
    dtype: str
    calls: tuple[Call, ...]
    seed: int
    axes: dict[str, str] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that an output depends on."""
        arrays = (self.query, self.key, self.value)
        return *((array.shape, array.tobytes()) for array in arrays), self.dtype, self.calls, self.dialect

    @property
    def options(self) -> dict[str, Any]:
        """The history, which a counterexample prints besides its arrays."""
        return {"history": one_line_of_calls(self.calls)}

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The calls, with the tokens or queries that they take."""
        taken, parts = {"append": 0, "attend": 0}, []
        for call in self.calls:
            start = taken[call.method]
            taken[call.method] += call.count
            parts.append(Part(call, slice(start, start + call.count)))
        return tuple(parts)

    @cached_property
    def attended_problems(self) -> tuple[Problem, ...]:
        """The problem that each `attend` solves: its queries, over all tokens appended to its cache before."""
        tokens: dict[str, list[int]] = {call.cache: [] for call in self.calls}
        attended_problems = []
        for call, taken in self.parts:
            if call.method == "append":
                tokens[call.cache] += range(taken.start, taken.stop)
            else:
                key, value = (array[..., tokens[call.cache], :] for array in (self.key, self.value))
                attended_problems.append(
                    Problem(self.query[..., taken, :], key, value, self.dtype, dialect=self.dialect)
                )
        return tuple(attended_problems)

    @property
    def token_by_token(self) -> History:
        """The same history with every `append` split into single tokens."""
        single = ([replace(call, count=1)] * call.count if call.method == "append" else [call] for call in self.calls)
        return replace(self, calls=tuple(call for calls in single for call in calls))


@dataclass(frozen=True)
class HistoryPlan:
    """A plan of a history: `tokens` draws the tokens and queries, and the calls say how many there are."""

    calls: tuple[Call, ...] = ()
    tokens: Plan = field(default_factory=Plan)

    def __repr__(self) -> str:
        return f"HistoryPlan(calls=({one_line_of_calls(self.calls)},), tokens={self.tokens})"

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes of the history."""
        return self.tokens.depends_on

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect) -> History:
        """Build the history in `dtype`, in the shapes that an implementation with `features` takes."""
        n = {method: sum(call.count for call in self.calls if call.method == method) for method in ("append", "attend")}
        plan = replace(self.tokens, keys=n["append"], queries=n["attend"])
        built = plan.build(dtype, features | {Feature.LENGTHS}, dialect)
        # The calls fix the length of the third axis: it must not be shrunk.
        axes = {name: f"{letters[:2]}1{letters[3]}" for name, letters in built.axes.items()}
        return History(built.query, built.key, built.value, dtype, self.calls, plan.seed, axes, dialect)


def _valid_calls(calls: Iterable[Call]) -> Iterator[Call]:
    """Drop the calls that attend to an empty cache, and add an `attend` at the end for each unread cache."""
    unasked: dict[str, bool] = {}
    for call in calls:
        if call.method == "append" or call.cache in unasked:
            unasked[call.cache] = call.method == "append"
            yield call
    yield from (Call(method="attend", cache=cache) for cache, is_unasked in unasked.items() if is_unasked)


_KINDS = tuple(("attend", n) for n in (1, 2, 3)) + tuple(("append", n) for n in (1, 1, 2, 3, 5, 17))
_NO_CALL = Call(method="attend", count=0, cache="none")
"""The call that others shrink to: it attends to a cache that is never filled, and so is dropped."""
_SOME_CALLS = (Call(method=method, count=n, cache=cache) for cache in ("a", "b") for method, n in _KINDS)
_CALLS = st.sampled_from((_NO_CALL, *_SOME_CALLS))
_DRAWN = st.builds(HistoryPlan, calls=st.tuples(*[_CALLS] * DRAWN_CALLS), tokens=ANY_PROBLEM.strategy)


def _of_two_caches(plan: HistoryPlan) -> HistoryPlan:
    calls = tuple(_valid_calls((Call(method="append"), *plan.calls)))
    return HistoryPlan(calls=calls, tokens=replace(plan.tokens, keys=1, queries=1))


def _of_one_cache(plan: HistoryPlan) -> HistoryPlan:
    calls = (call if call == _NO_CALL else replace(call, cache="a") for call in plan.calls)
    return _of_two_caches(replace(plan, calls=tuple(calls)))


def _of_shared_heads(plan: HistoryPlan) -> HistoryPlan:
    tokens = replace(plan.tokens, options=Options(group=2 + plan.tokens.seed % 3))
    return replace(_of_one_cache(plan), tokens=tokens)


def _of_several_heads(plan: HistoryPlan) -> HistoryPlan:
    tokens = replace(plan.tokens, batch=max(plan.tokens.batch, 2), heads=max(plan.tokens.heads, 2))
    return replace(_of_one_cache(plan), tokens=tokens)


LIMIT_OF_HISTORIES = 25
"""The number of histories: enough for every planted defect; one costs as much as a hundred problems."""

HISTORIES_OF_ONE_CACHE = Stream(_DRAWN, _of_one_cache, LIMIT_OF_HISTORIES)
HISTORIES_OF_TWO_CACHES = Stream(_DRAWN, _of_two_caches, LIMIT_OF_HISTORIES)
HISTORIES_WITH_GROUPED_HEADS = Stream(_DRAWN, _of_shared_heads, LIMIT_OF_HISTORIES)
HISTORIES_WITH_SEVERAL_HEADS = Stream(_DRAWN, _of_several_heads, LIMIT_OF_HISTORIES)
