"""One failure of each implementation is shown, of the simplest law; looking for the cause loses no verdict."""

from __future__ import annotations

from typing import Any

import pytest

from attention_tests.diagnosis import shown
from attention_tests.diagnosis.diagnosis import Diagnosis, together
from attention_tests.diagnosis.shown import in_short
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.row import Row
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.targets.resolve import resolve
from tests.support import reported

LAWS = {law.name: law for law in all_laws()}
BROKEN = (
    "test_the_output_is_right_in_all_circumstances",
    "test_every_element_is_inside_the_derived_bound",
    "test_huge_scores_give_finite_weights",
)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject(resolve("tests.support.targets:forgets_the_scale"), "float32")


@pytest.fixture(scope="module")
def rows(subject: Subject) -> list[Row]:
    outcomes = ((LAWS[name], hold(LAWS[name], subject, QUICK, shrinking=False)) for name in BROKEN)
    return [Row.of(law, subject, outcome) for law, outcome in outcomes]


def test_a_failure_that_is_not_shrunk_says_on_what_it_was_found(rows: list[Row]) -> None:
    assert {row.verdict for row in rows} == {Verdict.FAIL}
    assert all("The problem, as it was given:" in row.explanation for row in rows)
    assert not any(row.reproducer for row in rows)


def test_the_simplest_failure_is_shrunk_with_a_program(rows: list[Row], subject: Subject) -> None:
    failures = in_short(rows, [subject], QUICK)
    (row,) = failures.shown
    assert row.law in BROKEN
    assert row.verdict is Verdict.FAIL
    assert "The smallest problem found:" in row.explanation
    assert row.reproducer
    (diagnosis,) = failures.diagnoses
    assert diagnosis.names == ("no-scale",)
    assert str(diagnosis).startswith(
        f"{row.implementation} (float32): it does not scale the scores.\nThat explains all "
    )


def test_nothing_is_shown_of_what_passed(subject: Subject) -> None:
    passed = reported.row(BROKEN[0], "softmax", subject.implementation.name, "float32", Verdict.PASS)
    failures = in_short([passed], [subject], QUICK)
    assert not failures.shown
    assert not failures.diagnoses


def test_a_diagnosis_that_goes_wrong_loses_no_failure(
    rows: list[Row], subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: Any) -> Diagnosis:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(shown, "diagnosed", raises)
    failures = in_short(rows, [subject], QUICK)
    assert len(failures.shown) == 1
    assert failures.diagnoses == ()
    assert "the suite itself went wrong while it looked for the cause: ZeroDivisionError: of ours" in failures.trouble


def test_what_is_said_at_several_dtypes_is_said_once() -> None:
    one, other = (Diagnosis("mine", (dtype,), "ignores the mask", ("mask-ignored",), 2, 3) for dtype in ("a", "b"))
    (both,) = together([one, other])
    assert (both.dtypes, both.wrong, both.right) == (("a", "b"), 4, 6)
    assert together([one, Diagnosis("mine", ("b",), "ignores the bias", ("bias-ignored",), 2, 3)])[1].dtypes == ("b",)
