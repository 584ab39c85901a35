"""Expectations after a run: what it showed, and what it could not show as before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from msgspec import structs

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import (
    TO_BE_WRITTEN,
    Declaration,
    Expectations,
    Finding,
    KnownFailure,
    PinnedProblem,
)
from attention_tests.expectations.updating import updated

BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT)
FINDING = Finding(reason="so", issue="https://example.org/1")
KNOWN = KnownFailure(finding=FINDING, implementation="mine", dtype="float32", law="a", counterexample="Plan(keys=7)")
DECLARED = Declaration(dtypes=("float64", "float32"), steps=("attention",), features=("scale",))


def row(dtype: str, verdict: Verdict, *, law: str = "a", counterexample: str = "Plan(keys=3)") -> Row:
    return Row(
        law=law,
        clause="softmax",
        implementation="mine",
        dtype=dtype,
        precision="-",
        verdict=verdict,
        counterexample=counterexample,
    )


def after(old: Expectations, *rows: Row, besides: Expectations | None = None) -> Expectations:
    return updated(old, besides or Expectations(), rows, {"mine": DECLARED})


def known_after(*rows: Row, old: Iterable[KnownFailure] = (KNOWN,)) -> list[KnownFailure]:
    return list(after(Expectations(tuple(old)), *rows).known_failures)


@pytest.mark.parametrize("verdict", BROKEN)
def test_a_new_failure_is_written_without_a_reason(verdict: Verdict) -> None:
    (known,) = known_after(row("float32", verdict), old=())
    finding = Finding(reason=TO_BE_WRITTEN, verdict=verdict)
    assert known == replace(KNOWN, finding=finding, counterexample="Plan(keys=3)")


def test_a_failure_without_a_replayable_problem_is_not_written() -> None:
    assert not known_after(row("float32", Verdict.ERROR, counterexample=""), old=())


@pytest.mark.parametrize("verdict", [Verdict.EXPECTED_FAILURE, Verdict.NOT_RUN])
def test_an_unchanged_entry_stays(verdict: Verdict) -> None:
    assert known_after(row("float32", verdict, counterexample="")) == [KNOWN]
    for_any = replace(KNOWN, counterexample="")
    assert known_after(row("float32", verdict, counterexample=""), old=[for_any]) == [for_any]
    assert not known_after(row("float32", verdict), old=())


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.UNEXPECTED_PASS, Verdict.UNSUPPORTED])
def test_a_law_that_holds_is_removed_at_its_dtype(verdict: Verdict) -> None:
    other = replace(KNOWN, dtype="float64")
    rows = row("float32", verdict), row("float64", Verdict.EXPECTED_FAILURE)
    assert known_after(*rows, old=[KNOWN, other]) == [other]


def test_what_breaks_on_another_problem_keeps_its_finding() -> None:
    assert known_after(row("float32", Verdict.FAIL)) == [replace(KNOWN, counterexample="Plan(keys=3)")]


def test_a_failure_of_another_kind_needs_a_new_reason() -> None:
    (known,) = known_after(row("float32", Verdict.CRASH))
    assert known.finding == Finding(reason=TO_BE_WRITTEN, verdict=Verdict.CRASH)


def test_entries_outside_the_run_stay() -> None:
    theirs = replace(KNOWN, implementation="theirs", dtype="float16")
    other_versions = replace(KNOWN, finding=structs.replace(FINDING, versions="numpy<1"))
    not_selected = replace(KNOWN, dtype="float64")
    old = [not_selected, other_versions, theirs]
    assert known_after(row("float32", Verdict.PASS), old=old) == old


def test_stale_entries_are_removed() -> None:
    gone = replace(KNOWN, dtype="float16"), replace(KNOWN, law="gone")
    assert not known_after(row("float32", Verdict.PASS), old=gone)


def test_problems_stay() -> None:
    problems = (PinnedProblem(law="a", plan="Plan()"),)
    assert after(Expectations(problems=problems), row("float32", Verdict.PASS)).problems == problems


def test_what_is_declared_now_is_written_however_much_of_it_ran() -> None:
    before = Declaration(dtypes=("float16",), steps=("softmax",), features=())
    old = Expectations(declared={"mine": before, "theirs": before})
    assert after(old, row("float32", Verdict.NOT_RUN)).declared == {"mine": DECLARED, "theirs": before}


def test_what_another_file_says_is_declared_is_not_repeated() -> None:
    besides = Expectations(declared={"mine": DECLARED})
    assert not after(Expectations(), row("float32", Verdict.PASS), besides=besides).declared


def test_a_second_update_changes_nothing() -> None:
    rows = [row("float32", Verdict.FAIL), row("float64", Verdict.PASS), row("float64", Verdict.CRASH, law="b")]
    once = after(Expectations((KNOWN,)), *rows)
    assert len(once.known_failures) == len(rows) - 1
    assert after(once, *(replace(one, verdict=Verdict.EXPECTED_FAILURE) for one in rows[::2]), rows[1]) == once
