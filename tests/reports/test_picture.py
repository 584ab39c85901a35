from __future__ import annotations

import math

import pytest

from attention_tests.engine.measurements import ERROR_OUTSIDE, ERROR_OVER_BOUND, Measurements
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.picture import WIDTH, Mark, Picture, Strip, error_over_bound, number, pictures
from tests.support import reported

INFINITY = float("inf")


def test_each_dtype_has_a_strip_for_each_implementation_that_was_measured() -> None:
    rows = reported.rows()
    found = {(picture.dtype, strip.implementation) for picture in pictures(rows) for strip in picture.strips}
    assert found == {(row.dtype, row.implementation) for row in rows if error_over_bound(row) is not None}
    marks = [mark for picture in pictures(rows) for strip in picture.strips for mark in strip.marks]
    assert len(marks) == sum(row.verdict in (Verdict.FAIL, Verdict.PASS) for row in rows)


def test_no_picture_is_drawn_if_nothing_was_measured() -> None:
    assert not pictures([])
    assert not pictures(reported.all_passing().rows)


def test_marks_lie_in_the_order_of_their_errors() -> None:
    picture = Picture("float32", [], highest=3)
    places = [picture.place(ratio) for ratio in (0, 1e-9, 1e-4, 0.5, 1, 2, 1000, 1e9, INFINITY)]
    assert places == sorted(places)
    assert places[0] == places[1] == places[2] == 0
    assert places[6] == places[7] == places[8] == WIDTH
    assert 0 < places[3] < places[4] < places[5] < WIDTH


def test_all_dtypes_share_one_axis_that_fits_the_largest_error() -> None:
    assert {picture.highest for picture in pictures(reported.rows())} == {math.ceil(math.log10(5.3e12))}


@pytest.mark.parametrize(
    ("verdict", "measured", "expected"),
    [
        (Verdict.FAIL, {ERROR_OVER_BOUND: 0.5, ERROR_OUTSIDE: 7.0}, 7.0),
        (Verdict.FAIL, {ERROR_OVER_BOUND: 0.5}, 0.5),
        # Some laws ask for an answer that is outside of another bound.
        (Verdict.PASS, {ERROR_OVER_BOUND: 0.5, ERROR_OUTSIDE: 7.0}, 0.5),
        (Verdict.PASS, {}, None),
    ],
)
def test_refused_errors_count_only_where_a_law_was_broken(
    verdict: Verdict, measured: Measurements, expected: float | None
) -> None:
    row = reported.row("test_law", "softmax", "mine", "float32", verdict)
    row.measured.clear()
    row.measured.update(measured)
    assert error_over_bound(row) == expected


def test_the_text_says_what_the_marks_show() -> None:
    inside = [Mark("test_a", 0.25, broke=False), Mark("test_b", 0.5, broke=False), Mark("test_c", 0.01, broke=False)]
    assert Strip("mine", inside).words == (
        "3 properties found every answer inside its bound, and half of them stay below 0.25 of it; "
        "0 found one outside. The largest error is 0.5 times its bound, seen by test_b."
    )
    assert Strip("mine", [Mark("test_d", INFINITY, broke=True)]).words == (
        "0 properties found every answer inside its bound; 1 found one outside. "
        "The largest error is ∞ times its bound, seen by test_d."
    )


def test_a_number_is_printed_short() -> None:
    assert [number(ratio) for ratio in (0.123456, 5.3e12, INFINITY)] == ["0.12", "5.3e+12", "∞"]


def test_an_error_as_large_as_its_bound_is_inside() -> None:
    row = reported.row("test_law", "softmax", "mine", "float32", Verdict.PASS)
    row.measured[ERROR_OVER_BOUND] = 1.0
    (picture,) = pictures([row])
    assert picture.highest == 1
    assert picture.strips == [Strip("mine", [Mark("test_law", 1.0, broke=False)])]
