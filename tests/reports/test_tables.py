from __future__ import annotations

from collections.abc import Mapping

import pytest

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.tables import clause_table, findings, promise_table, strictest
from reference.document import CLAUSES

ALL = list(Verdict)


def row(
    verdict: Verdict = Verdict.PASS,
    *,
    law: str = "test_law",
    clause: str = "softmax",
    implementation: str = "mine",
    dtype: str = "float32",
    measured: Mapping[str, float | str] | None = None,
) -> Row:
    return Row(law, clause, implementation, dtype, "float32", verdict, measured=dict(measured or {}))


def one_of_each(implementation: str = "mine") -> list[Row]:
    return [row(verdict, law=f"test_{verdict}", implementation=implementation) for verdict in ALL]


def line(table: str, start: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(start))


def cells(table: str, start: str) -> list[str]:
    return [cell.strip() for cell in line(table, start).split("  ") if cell.strip()]


def test_each_verdict_is_counted_under_its_own_name() -> None:
    counted = [f"1 {verdict}" for verdict in ALL]
    assert cells(promise_table(one_of_each()), "mine")[2] == ", ".join(counted)
    softmax = clause_table(one_of_each()).partition("softmax")[2].partition("\nweigh")[0]
    assert [line.strip() for line in softmax.splitlines()] == counted


def test_every_clause_has_its_row() -> None:
    table = clause_table([row()])
    assert [line.split()[0] for line in table.splitlines()[2:]] == list(CLAUSES)
    assert cells(table, "scale") == ["scale"]


@pytest.mark.parametrize("worse", range(len(ALL)))
def test_the_worst_verdict_over_the_dtypes_counts_for_a_property(worse: int) -> None:
    for better in range(worse, len(ALL)):
        rows = [row(ALL[better], dtype="float64"), row(ALL[worse]), row(ALL[better], dtype="float16")]
        assert cells(clause_table(rows), "softmax") == ["softmax", f"1 {ALL[worse]}"]


def test_nothing_is_worse_than_a_failure_nor_better_than_a_pass_but_what_was_not_asked_for() -> None:
    assert [verdict.value for verdict in ALL] == [
        "fail",
        "crash",
        "timeout",
        "error",
        "unexpected pass",
        "not run",
        "expected failure",
        "pass",
        "unsupported",
    ]


def test_implementations_have_separate_columns() -> None:
    table = clause_table([row(Verdict.FAIL), row(implementation="other")])
    assert cells(table, "clause") == ["clause", "mine", "other"]
    assert cells(table, "softmax") == ["softmax", "1 fail", "1 pass"]


def test_two_implementations_fit_on_a_line() -> None:
    table = clause_table([*one_of_each()[:3], *one_of_each("mypackage.kernels:attention")[:3]])
    assert len(table.splitlines()) == len(CLAUSES) + 2
    assert max(map(len, table.splitlines())) <= 120


def test_many_implementations_have_a_line_for_each_count() -> None:
    names = [f"mypackage:{i}" for i in range(7)]
    usual = (Verdict.FAIL, Verdict.NOT_RUN, Verdict.PASS, Verdict.UNSUPPORTED)
    table = clause_table([row for name in names for row in one_of_each(name) if row.verdict in usual])
    assert max(map(len, table.splitlines())) <= 130
    assert [line.split() for line in table.splitlines() if "pass" in line] == [["1", "pass"] * 7]


def test_each_dtype_has_a_row_in_the_precision_table() -> None:
    table = promise_table([row(dtype="float64"), row(), row(Verdict.FAIL)])
    assert [line.split()[1:5] for line in table.splitlines()[2:]] == [
        ["float64", "1", "pass", "-"],
        ["float32", "1", "fail,", "1"],
    ]
    assert max(map(len, table.splitlines())) <= 120


def test_the_largest_error_over_bound_is_shown() -> None:
    rows = [*(row(measured={"error over bound": error}) for error in (0.25, 0.5)), row()]
    assert cells(promise_table(rows), "mine")[3] == "0.5"
    assert cells(promise_table([row()]), "mine")[3] == "-"


@pytest.mark.parametrize(
    ("outside", "met"),
    [
        ({"outside float32": 0, "outside tf32": 0}, "float32"),
        ({"outside float32": 1, "outside tf32": 0}, "tf32"),
        ({"outside float32": 1, "outside tf32": 1}, "none"),
        ({}, "-"),
    ],
)
def test_the_strictest_precision_that_is_met_is_shown(outside: dict[str, float | str], met: str) -> None:
    rows = [row(), row(measured=outside)]
    assert strictest(rows) == met
    assert cells(promise_table(rows), "mine")[5] == met


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        ([{"elements": 100.0, "vacuous elements": 0.0}], "0"),
        ([{"elements": 100.0, "vacuous elements": 2.0}, {"elements": 100.0, "vacuous elements": 1.0}], "1.50%"),
        ([{}], "-"),
    ],
)
def test_laws_checked_without_a_bound_are_shown(measured: list[dict[str, float | str]], shown: str) -> None:
    assert cells(promise_table([row(measured=one) for one in measured]), "mine")[-1] == shown


def test_a_finding_is_listed_once_with_its_first_implementation() -> None:
    rows = [
        row(clause="self-dominates", measured={"counterexample": "first"}),
        row(clause="self-dominates", implementation="other", measured={"counterexample": "second"}),
        row(clause="stable-gradients", measured={"variance": "third"}),
        row(measured={"elements": 3.0}),
    ]
    assert findings(rows) == [
        "self-dominates (refuted): counterexample: first  [mine, float32]",
        "stable-gradients (measured): variance: third  [mine, float32]",
    ]


def test_no_rows_make_an_empty_report() -> None:
    assert not findings([])
    assert cells(promise_table([]), "implementation")[:2] == ["implementation", "dtype"]


def test_a_table_style_of_tabulate_is_accepted() -> None:
    assert clause_table([row()], style="github").startswith("| clause")
