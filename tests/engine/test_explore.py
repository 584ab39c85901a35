"""Hypothesis runs a law for its share of the budget, and remembers what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

from attention_tests import Implementation
from attention_tests.engine.budget import Budget
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.database import Lossy
from attention_tests.engine.explore import PROBLEMS, Exploration, explore
from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import read
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import failure_on
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from tests.defects import correct
from tests.defects.correct import Array
from tests.support import targets
from tests.support.ticking import explore_by

LAWS = {law.name: law for law in all_laws()}
INSIDE_THE_BOUND = LAWS["test_every_element_is_inside_the_derived_bound"]
SAME_BITS = LAWS["test_same_call_gives_same_bits"]
ANOTHER = replace(INSIDE_THE_BOUND, name="test_another")
LONG = 20.0
SHORT = 1e-6
"""Time for one problem, which is always tried."""


def subject_of(function: Callable[..., Any], dtype: str = "float32", name: str = "mine") -> Subject:
    return Subject(Implementation(name=name, attention=function), dtype)


def explored(
    subject: Subject,
    seconds: float,
    database: ExampleDatabase | None = None,
    law: Law = INSIDE_THE_BOUND,
    seed: int = 1,
) -> Outcome:
    exploration = Exploration(
        Budget(seconds), Profile("explore", 100, seed), Lossy(database or InMemoryExampleDatabase())
    )
    return explore(law, subject, exploration)


def wrong_on_large_problems(query: Array, key: Array, value: Array) -> Array:
    answer = correct.attention(query, key, value)
    return answer + 1 if min(query.shape[-2], key.shape[-2]) > 3 else answer


class Recorder:
    """An attention that remembers its queries, and may be interrupted."""

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self.queries: list[tuple[tuple[int, ...], bytes]] = []

    def __call__(self, query: Array, key: Array, value: Array) -> Array:
        self.queries.append((query.shape, query.tobytes()))
        if len(self.queries) == self.at_most:
            raise KeyboardInterrupt
        return correct.attention(query, key, value)


class Watch:
    """A clock that stands still but for the calls of an implementation: what else a machine does is not measured."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def during(self, seconds: float, attention: Callable[..., Array]) -> Callable[..., Array]:
        def taking_its_time(query: Array, key: Array, value: Array) -> Array:
            self.now += seconds
            return attention(query, key, value)

        return taking_its_time


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    explore_by(watch, monkeypatch)
    return watch


@pytest.mark.parametrize("seconds", [2**-10, 2**-6, 2.0])
def test_a_share_is_used_up_and_exceeded_by_one_problem_at_most(watch: Watch, seconds: float) -> None:
    outcome = explored(subject_of(watch.during(seconds, correct.attention)), 1.0, law=SAME_BITS)
    assert outcome.verdict is Verdict.PASS
    tried = int(outcome.measured[PROBLEMS])
    assert watch.now >= 1.0
    assert watch.now * (tried - 1) / tried < 1.0


@pytest.mark.parametrize(("share", "taken"), [(1.0, 1.0), (LONG, 1.875)])
def test_explaining_a_failure_takes_no_more_than_the_share(watch: Watch, share: float, taken: float) -> None:
    subject = subject_of(watch.during(2**-4, wrong_on_large_problems))
    assert explored(subject, share).verdict is Verdict.FAIL
    assert watch.now == taken


def test_a_problem_is_tried_even_where_no_time_is_left() -> None:
    outcome = explored(subject_of(targets.attention), SHORT)
    assert outcome.verdict is Verdict.PASS
    assert outcome.measured[PROBLEMS] == 1
    assert float(outcome.measured["elements"]) > 0


def queries(seed: int, law: Law = INSIDE_THE_BOUND, name: str = "mine") -> list[tuple[tuple[int, ...], bytes]]:
    """Return the first queries that are asked for."""
    recorder = Recorder(at_most=20)
    with pytest.raises(KeyboardInterrupt):
        explored(subject_of(recorder, name=name), LONG, law=law, seed=seed)
    return recorder.queries


def test_a_seed_tries_the_same_problems_again() -> None:
    assert queries(seed=1) == queries(seed=1)


def test_seeds_properties_and_implementations_have_problems_of_their_own() -> None:
    tried = [queries(1), queries(2), queries(1, law=ANOTHER), queries(1, name="yours")]
    assert all(one != another for place, one in enumerate(tried) for another in tried[place + 1 :])


def test_a_failure_is_explained_like_any_other() -> None:
    failed = explored(subject_of(targets.forgets_the_scale), LONG)
    assert failed.verdict is Verdict.FAIL
    assert "mine (float32, promised precision: float32) breaks a law." in failed.explanation
    assert "The smallest problem found:" in failed.explanation
    assert "times the bound" in failed.explanation
    assert float(failed.measured["elements"]) > 0
    plan = read(failed.counterexample)
    assert failure_on(INSIDE_THE_BOUND, subject_of(targets.forgets_the_scale), plan)
    assert not failure_on(INSIDE_THE_BOUND, subject_of(targets.attention), plan)


def test_an_exception_is_an_error() -> None:
    error = explored(subject_of(targets.raises_on_seven_keys), LONG)
    assert error.verdict is Verdict.ERROR
    assert "keys=7" in error.counterexample


def test_saved_counterexamples_are_replayed_first() -> None:
    database, subject = InMemoryExampleDatabase(), subject_of(wrong_on_large_problems)
    found = explored(subject, LONG, database)
    assert found.verdict is Verdict.FAIL
    again = explored(subject, SHORT, database, seed=2)
    assert (again.verdict, again.counterexample) == (Verdict.FAIL, found.counterexample)
    assert again.measured[PROBLEMS] == 1
    assert explored(subject, SHORT, seed=2).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("subject", "law"),
    [
        (subject_of(wrong_on_large_problems, name="yours"), INSIDE_THE_BOUND),
        (subject_of(wrong_on_large_problems, dtype="float64"), INSIDE_THE_BOUND),
        (subject_of(wrong_on_large_problems), ANOTHER),
    ],
    ids=["implementation", "dtype", "law"],
)
def test_saved_counterexamples_are_not_replayed_for_others(subject: Subject, law: Law) -> None:
    database = InMemoryExampleDatabase()
    assert explored(subject_of(wrong_on_large_problems), LONG, database).verdict is Verdict.FAIL
    assert explored(subject, SHORT, database, law).verdict is Verdict.PASS


def test_counterexamples_that_no_longer_fail_are_deleted() -> None:
    database = InMemoryExampleDatabase()
    explored(subject_of(wrong_on_large_problems), LONG, database)
    failures = failures_in(database)
    assert failures
    for _ in failures:
        assert explored(subject_of(targets.attention), SHORT, database).verdict is Verdict.PASS
    assert not failures_in(database)


def test_nothing_is_kept_of_a_search_that_ran_out_of_time() -> None:
    database = InMemoryExampleDatabase()
    for seed in range(3):
        assert explored(subject_of(targets.attention), SHORT, database, seed=seed).verdict is Verdict.PASS
    assert not failures_in(database)


def failures_in(database: InMemoryExampleDatabase) -> set[bytes]:
    """Return what is kept as a failure: Hypothesis also keeps problems from which it likes to go on."""
    return set().union(*(kept for key, kept in database.data.items() if not key.endswith(b".pareto")))


def test_a_law_broken_only_once_is_a_failure() -> None:
    calls = count()

    def flaky(query: Array, key: Array, value: Array) -> Array:
        return correct.attention(query, key, value) + (next(calls) == 40)

    failed = explored(subject_of(flaky), 1.0, law=SAME_BITS)
    assert failed.verdict is Verdict.FAIL
    assert "broke the law once and kept it when called again" in failed.explanation
    assert "\n  got       " in failed.explanation


@pytest.mark.parametrize("patience", [0, 40])
def test_an_interruption_ends_it(patience: int) -> None:
    calls = count()

    def impatient(query: Array, key: Array, value: Array) -> Array:
        if next(calls) == patience:
            raise KeyboardInterrupt
        return targets.forgets_the_scale(query, key, value)

    with pytest.raises(KeyboardInterrupt):
        explored(subject_of(impatient), LONG)


def test_an_exception_in_a_law_itself_is_no_verdict() -> None:
    def body(_subject: Subject, _drawn: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        explored(subject_of(targets.attention), 0.2, law=replace(INSIDE_THE_BOUND, body=body))


class Losing(InMemoryExampleDatabase):
    """A database that answers a few times, as a server does that goes away."""

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers

    def fetch(self, key: bytes) -> Iterable[bytes]:
        self._count()
        return super().fetch(key)

    def save(self, key: bytes, value: bytes) -> None:
        self._count()
        super().save(key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        self._count()
        super().delete(key, value)

    def _count(self) -> None:
        self.answers -= 1
        if self.answers < 0:
            raise ConnectionError("the server went away\nfor good")


@pytest.mark.parametrize("answers", [0, 1, 3, 6])
def test_losing_the_database_changes_no_verdict(answers: int) -> None:
    lossy = Lossy(Losing(answers))
    exploration = Exploration(Budget(0.3), Profile("explore", 100), lossy)
    assert explore(INSIDE_THE_BOUND, subject_of(targets.attention), exploration).verdict is Verdict.PASS
    exploration.budget = Budget(LONG)
    failed = explore(INSIDE_THE_BOUND, subject_of(targets.forgets_the_scale), exploration)
    assert failed.verdict is Verdict.FAIL
    assert lossy.lost == "the server went away"


def test_a_folder_saves_counterexamples(tmp_path: Path) -> None:
    subject = subject_of(wrong_on_large_problems)
    explored(subject, LONG, DirectoryBasedExampleDatabase(tmp_path))
    assert explored(subject, SHORT, DirectoryBasedExampleDatabase(tmp_path), seed=2).verdict is Verdict.FAIL
