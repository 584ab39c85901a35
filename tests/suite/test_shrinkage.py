"""A run that decides less than is expected says so, whatever the reason, and no other run does."""

from __future__ import annotations

import pytest

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import Decided
from attention_tests.expectations.shrinkage import shrunk

EXPECTED = [
    Decided(implementation="mine", dtypes=("float64", "float32"), properties={"softmax": 2, "scale": 1}),
    Decided(implementation="theirs", dtypes=("float32",), properties={"softmax": 2}),
]


def row(law: str, clause: str, dtype: str, verdict: Verdict = Verdict.PASS, implementation: str = "mine") -> Row:
    return Row(law=law, clause=clause, implementation=implementation, dtype=dtype, precision="-", verdict=verdict)


def rows_of(dtype: str, last: Verdict = Verdict.PASS) -> list[Row]:
    return [row("a", "softmax", dtype), row("b", "scale", dtype), row("c", "softmax", dtype, last)]


def told(rows: list[Row], *dtypes: str, names: tuple[str, ...] = ("mine",)) -> list[str]:
    return list(shrunk(EXPECTED, rows, names, dtypes))


DECIDED = [verdict for verdict in Verdict if verdict not in (Verdict.UNSUPPORTED, Verdict.NOT_RUN)]


@pytest.mark.parametrize("verdict", DECIDED)
def test_whatever_is_decided_counts(verdict: Verdict) -> None:
    assert not told(rows_of("float64") + rows_of("float32", verdict))


@pytest.mark.parametrize("verdict", [Verdict.UNSUPPORTED, Verdict.NOT_RUN])
def test_what_is_not_decided_does_not_count(verdict: Verdict) -> None:
    assert told(rows_of("float64") + rows_of("float32", verdict)) == ["mine (float32): 1 of 2 of softmax"]


def test_more_than_is_expected_is_fine() -> None:
    more = [row("d", "sum", "float32"), row("e", "scale", "float32")]
    assert not told(rows_of("float64") + rows_of("float32") + more)


def test_a_dtype_that_is_gone_is_told() -> None:
    assert told(rows_of("float64")) == ["mine (float32): nothing was decided, where 3 properties are expected"]


def test_an_implementation_that_is_gone_is_told() -> None:
    sentences = told(rows_of("float64") + rows_of("float32"), names=("mine", "theirs"))
    assert sentences == ["theirs (float32): nothing was decided, where 2 properties are expected"]


def test_what_was_not_asked_for_is_not_judged() -> None:
    assert not told(rows_of("float64"), "float64")
    assert not told([], names=())
