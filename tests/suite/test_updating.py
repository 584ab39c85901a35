"""What an expectations file says after a run: what the run showed, and what it could not show as before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import (
    TO_BE_WRITTEN,
    Decided,
    Expectations,
    KnownFailure,
    PinnedProblem,
)
from attention_tests.expectations.updating import Ran, updated

BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT)
KNOWN = KnownFailure(
    implementation="mine",
    dtypes=("float64", "float32"),
    law="a",
    reason="so",
    issue="https://example.org/1",
    counterexample="Plan(keys=7)",
)
COUNTS = Decided(implementation="mine", dtypes=("float64", "float32"), properties={"softmax": 1})


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


def after(old: Expectations, *rows: Row, whole: bool = True, besides: Expectations | None = None) -> Expectations:
    ran = Ran(rows, {"mine": ("float64", "float32")})
    return updated(old, besides or Expectations(), ran, whole=whole)


def known_after(*rows: Row, old: KnownFailure | None = KNOWN) -> list[KnownFailure]:
    return list(after(Expectations((old,) if old else ()), *rows).known_failures)


@pytest.mark.parametrize("verdict", BROKEN)
def test_what_breaks_is_written_and_has_no_reason_yet(verdict: Verdict) -> None:
    (known,) = known_after(row("float32", verdict), row("float64", verdict), old=None)
    assert known == KnownFailure(
        implementation="mine",
        dtypes=("float64", "float32"),
        law="a",
        reason=TO_BE_WRITTEN,
        verdict=verdict,
        counterexample="Plan(keys=3)",
    )


def test_what_breaks_on_no_problem_that_could_be_replayed_is_not_written() -> None:
    assert not known_after(row("float32", Verdict.ERROR, counterexample=""), old=None)


def test_what_is_still_as_it_was_stays() -> None:
    rows = [row(dtype, Verdict.EXPECTED_FAILURE, counterexample="") for dtype in KNOWN.dtypes]
    assert known_after(*rows) == [KNOWN]
    assert known_after(*(replace(one, verdict=Verdict.NOT_RUN) for one in rows)) == [KNOWN]
    for_any = replace(KNOWN, counterexample="")
    assert known_after(*rows, old=for_any) == [for_any]


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.UNEXPECTED_PASS, Verdict.UNSUPPORTED])
def test_what_holds_is_taken_out_at_its_dtype(verdict: Verdict) -> None:
    left = known_after(row("float32", verdict), row("float64", Verdict.EXPECTED_FAILURE))
    assert left == [replace(KNOWN, dtypes=("float64",))]


def test_what_breaks_on_another_problem_keeps_its_reason() -> None:
    stays, moves = known_after(row("float32", Verdict.FAIL), row("float64", Verdict.EXPECTED_FAILURE))
    assert stays == replace(KNOWN, dtypes=("float64",))
    assert moves == replace(KNOWN, dtypes=("float32",), counterexample="Plan(keys=3)")


def test_what_breaks_in_another_way_needs_another_reason() -> None:
    (known,) = known_after(row("float32", Verdict.CRASH), row("float64", Verdict.PASS))
    assert known.reason == TO_BE_WRITTEN
    assert known.verdict is Verdict.CRASH
    assert not known.issue


def test_what_the_run_was_not_about_stays() -> None:
    theirs = replace(KNOWN, implementation="theirs", dtypes=("float16",))
    other_versions = replace(KNOWN, versions="numpy<1")
    not_selected = replace(KNOWN, dtypes=("float64",))
    old = Expectations((not_selected, other_versions, theirs))
    assert after(old, row("float32", Verdict.PASS)).known_failures == old.known_failures


def test_what_can_never_be_again_is_taken_out() -> None:
    old = Expectations((replace(KNOWN, dtypes=("float16",)), replace(KNOWN, law="gone", dtypes=("float32",))))
    assert not after(old, row("float32", Verdict.PASS)).known_failures


def test_known_failures_and_problems_are_sorted() -> None:
    rows = [row(dtype, Verdict.FAIL, law=law) for law in "ba" for dtype in KNOWN.dtypes]
    problems = tuple(PinnedProblem(law=law, plan=plan) for law in "ba" for plan in ("Plan(b=1)", "Plan()"))
    new = after(Expectations(problems=problems), *rows)
    assert [one.law for one in new.known_failures] == ["a", "b"]
    assert list(new.problems) == sorted(problems, key=lambda one: (one.law, one.plan))


def test_counts_are_written_for_all_dtypes_that_agree() -> None:
    rows = [row(dtype, Verdict.PASS) for dtype in KNOWN.dtypes]
    assert after(Expectations(), *rows).decided == (COUNTS,)
    more = after(Expectations(), *rows, row("float32", Verdict.PASS, law="b")).decided
    assert [(one.dtypes, one.properties) for one in more] == [
        (("float64",), {"softmax": 1}),
        (("float32",), {"softmax": 2}),
    ]


def test_counts_of_a_part_of_the_run_are_not_written() -> None:
    old = Expectations(decided=(COUNTS,))
    assert after(old, row("float32", Verdict.NOT_RUN), whole=False) == old
    assert after(old, row("float32", Verdict.NOT_RUN)).decided == (replace(COUNTS, dtypes=("float64",)),)


def test_counts_of_others_stay_and_those_of_dtypes_that_are_gone_do_not() -> None:
    theirs = replace(COUNTS, implementation="theirs")
    old = Expectations(decided=(replace(COUNTS, dtypes=("float16",)), theirs))
    assert after(old, row("float64", Verdict.PASS)).decided == (replace(COUNTS, dtypes=("float64",)), theirs)


def test_what_another_file_says_is_not_repeated() -> None:
    besides = Expectations(decided=(replace(COUNTS, dtypes=("float64",)),))
    rows = [row(dtype, Verdict.PASS) for dtype in KNOWN.dtypes]
    assert after(Expectations(), *rows, besides=besides).decided == (replace(COUNTS, dtypes=("float32",)),)


def test_a_second_update_changes_nothing() -> None:
    rows = [row("float32", Verdict.FAIL), row("float64", Verdict.PASS), row("float64", Verdict.CRASH, law="b")]
    once = after(Expectations((KNOWN,), decided=(COUNTS,)), *rows)
    assert after(once, *(replace(one, verdict=Verdict.EXPECTED_FAILURE) for one in rows[::2]), rows[1]) == once
