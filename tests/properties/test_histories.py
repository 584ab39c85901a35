"""A history of a cache that breaks a law is short, can be read, and is the same one every time."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Dialect, Feature, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT, QUICK
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.cache import CacheSubject
from attention_tests.execution.failures import ImplementationRaised, WrongForm
from attention_tests.execution.subject import Subject
from properties.drawing.histories import HISTORIES_OF_TWO_CACHES, Call, History, HistoryPlan
from properties.drawing.plans import Plan
from tests.defects import DEFECTS, correct_cache
from tests.defects.correct import Array
from tests.defects.defect import implementation_of
from tests.text.test_literals import evaluated

LAWS = {law.name: law for law in all_laws()}
NAMED = {defect.name: defect for defect in DEFECTS}
CALLS = (Call("append", 2), Call("append", 3, "b"), Call("attend", 1), Call("append"), Call("attend", 2, "b"))


def outcome(name: str) -> Outcome:
    defect = NAMED[name]
    return hold(LAWS[defect.killed_by], Subject(defect.implementation, "float32"), DEFAULT)


def built() -> History:
    plan = HistoryPlan((*CALLS, Call("attend")), Plan(regimes=("normal",)))
    return plan.build("float32", frozenset(), Dialect())


@pytest.mark.parametrize(
    ("name", "history"),
    [
        ("last_appended_token_overwritten", "2 * a.append(1), a.attend(1)"),
        ("tokens_before_the_last_16_dropped", "a.append(1), a.append(17), a.attend(1)"),
        ("appends_counted", "a.append(1), a.append(2), a.attend(1)"),
        ("answer_kept_until_the_next_append", "2 * a.append(1), 2 * a.attend(1)"),
        ("given_arrays_kept_without_a_copy", "a.append(1), a.attend(1)"),
        ("one_buffer_for_all_caches", "a.append(1), b.append(1), a.attend(1), b.attend(1)"),
    ],
)
def test_a_history_that_breaks_a_law_is_short(name: str, history: str) -> None:
    failed = outcome(name)
    assert failed.verdict is Verdict.FAIL
    _, _, smallest = failed.explanation.partition("The smallest problem found:\n")
    lines = [line[4:] for line in smallest.splitlines() if line.startswith("    ")]
    names = evaluated(lines[: lines.index(f"history = {history!r}") + 1])
    assert f"HistoryPlan(calls=({history},), tokens=Plan(" in " ".join(failed.explanation.split())
    assert sum(names[array].size for array in ("query", "key", "value")) <= 40


@pytest.mark.parametrize(
    "name", ["last_appended_token_overwritten", "one_buffer_for_all_caches", "attend_appends_a_token"]
)
def test_the_same_cache_has_the_same_outcome(name: str) -> None:
    assert outcome(name) == outcome(name)


def test_a_history_begins_with_an_append_and_ends_with_an_attend() -> None:
    plans = corpus(HISTORIES_OF_TWO_CACHES, QUICK)
    assert {plan.calls[0] for plan in plans} == {Call("append")}
    assert {plan.calls[-1].method for plan in plans} == {"attend"}
    assert {call.cache for plan in plans for call in plan.calls} == {"a", "b"}


def test_every_query_attends_to_all_tokens_its_cache_was_given() -> None:
    history = built()
    first, of_b, last = history.attended_problems
    assert np.array_equal(first.key, history.key[..., [0, 1], :])
    assert np.array_equal(of_b.value, history.value[..., [2, 3, 4], :])
    assert np.array_equal(last.key, history.key[..., [0, 1, 5], :])
    assert np.array_equal(of_b.query, history.query[..., [1, 2], :])


def test_splitting_appends_into_single_tokens_asks_the_same_questions() -> None:
    history = built()
    single = history.token_by_token
    assert {call.count for call in single.calls if call.method == "append"} == {1}
    assert single.attended_problems == history.attended_problems


def test_repeated_calls_are_printed_once() -> None:
    plan = HistoryPlan((*CALLS[:1] * 3, *CALLS[:2]))
    assert repr(plan) == "HistoryPlan(calls=(4 * a.append(2), b.append(3),), tokens=Plan())"


def test_an_exception_of_a_cache_names_its_method() -> None:
    class Full(correct_cache.Cache):
        def append(self, key: Array, value: Array) -> None:
            raise MemoryError(f"no room for {key.shape} and {value.shape}")

    cache = CacheSubject(Subject(implementation_of(Full, Step.CACHE), "float32"))
    with pytest.raises(ImplementationRaised, match=r"cache.append, given .* raised MemoryError: no room for"):
        cache.append(np.ones((1, 1, 2, 3)), np.ones((1, 1, 2, 3)))


def test_an_answer_of_another_shape_is_of_the_wrong_form() -> None:
    class Flat(correct_cache.Cache):
        def attend(self, query: Array) -> Array:
            return super().attend(query)[0]

    cache = CacheSubject(Subject(implementation_of(Flat, Step.CACHE, features=[Feature.HEADS]), "float32"))
    cache.append(np.ones((1, 1, 2, 3)), np.ones((1, 1, 2, 2)))
    read = cache.attend(np.ones((1, 1, 4, 3)))
    with pytest.raises(WrongForm, match=r"cache returned an array of shape \(1, 4, 2\); return .* \(1, 1, 4, 2\)"):
        read()
