"""A comparison that cannot say no is no comparison, and one that says no to the very bound is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_tests.engine.measurements import ERROR_OVER_BOUND, measuring
from attention_tests.execution.failures import Disagreement
from properties.checks.comparison import (
    assert_at_least,
    assert_at_most,
    assert_changed,
    assert_equal,
    assert_inside_bound,
    assert_outside_bound,
    assert_same_bits,
    moved,
    picked,
)
from reference.bounds.formats import FORMATS, round_to
from reference.bounds.interval import Interval

ERROR = 2.0**-10
NO_NUMBERS = [np.nan, np.inf, -np.inf]
by_dtype = pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])


def array(*numbers: float) -> Any:
    return np.array(numbers, np.float64)


def around(*values: float, error: float = ERROR, dtype: str = "float64") -> Interval:
    return Interval(array(*values), np.full(len(values), error), dtype, flush=False)


def refused(compare: Callable[..., None], *arguments: Any) -> Disagreement:
    with pytest.raises(Disagreement) as disagreement:
        compare(*arguments)
    return disagreement.value


def next_in(dtype: str, x: float) -> float:
    format_ = FORMATS[dtype]
    return float(x + 2.0 ** (np.frexp(x)[1] - format_.digits))


@by_dtype
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_bound_itself_is_inside_and_one_unit_beyond_is_not(dtype: str, sign: int) -> None:
    oracle = around(sign * 1.5, error=0.25, dtype=dtype)
    assert_inside_bound(array(sign * 1.75), oracle)
    refused(assert_inside_bound, array(sign * next_in(dtype, 1.75)), oracle)


@by_dtype
def test_without_an_error_only_the_nearest_number_is_inside(dtype: str) -> None:
    nearest = float(round_to(1 / 3, dtype))
    oracle = around(1 / 3, error=0, dtype=dtype)
    assert_inside_bound(array(nearest), oracle)
    refused(assert_inside_bound, array(next_in(dtype, nearest)), oracle)


def test_negative_zero_is_inside_the_bound_of_zero() -> None:
    assert_inside_bound(array(-0.0), around(0.0, error=0))


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_nan_and_infinity_are_outside_any_finite_bound(wrong: float) -> None:
    assert refused(assert_inside_bound, array(1.0, wrong), around(1.0, 1.0)).where == (1,)


@pytest.mark.parametrize("anything", [*NO_NUMBERS, 0.0, 1e300])
def test_anything_is_inside_where_the_bound_is_infinite(anything: float) -> None:
    assert_inside_bound(array(anything), around(1.0, error=np.inf))


@pytest.mark.parametrize("answer", [1.0, 0.0, -0.0])
def test_a_number_is_outside_where_nan_is_expected(answer: float) -> None:
    assert_inside_bound(array(np.nan), around(np.nan))
    refused(assert_inside_bound, array(answer), around(np.nan))


def test_the_worst_element_is_the_one_that_is_shown() -> None:
    disagreement = refused(assert_inside_bound, array(1.0, 1.1, 1.2, 1.0), around(1.0, 1.0, 1.0, 1.0))
    assert disagreement.where == (2,)
    assert disagreement.sentence.startswith("2 of 4 elements")
    assert disagreement.bound == pytest.approx(ERROR)


def test_what_was_compared_is_counted() -> None:
    oracle = Interval(array(1.0, 2.0, 3.0), array(ERROR, ERROR, np.inf), "float64", flush=False)
    with measuring() as measured:
        assert_inside_bound(array(1.0, 2.0 + ERROR / 2, np.nan), oracle)
        assert_inside_bound(array(1.0, 2.0 - ERROR / 4, 0.0), oracle)
    assert measured["elements"] == 6
    assert measured["vacuous elements"] == 2
    assert measured[ERROR_OVER_BOUND] == pytest.approx(0.5)


def test_answers_outside_the_bound_do_not_count_as_error_over_bound() -> None:
    with measuring() as measured, pytest.raises(Disagreement):
        assert_inside_bound(array(1.0 + ERROR / 4, 9.0), around(1.0, 1.0))
    assert measured[ERROR_OVER_BOUND] == pytest.approx(0.25)


def test_the_same_bits_are_accepted() -> None:
    assert_same_bits(array(0.0, -0.0, 1.5, *NO_NUMBERS), array(0.0, -0.0, 1.5, *NO_NUMBERS))


@pytest.mark.parametrize(
    ("got", "other"), [(0.0, -0.0), (1.0, np.nextafter(1.0, 2.0)), (np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf)]
)
def test_different_bits_are_refused(got: float, other: float) -> None:
    disagreement = refused(assert_same_bits, array(1.0, got), array(1.0, other))
    assert disagreement.where == (1,)
    assert disagreement.bound is None


def test_equal_numbers_are_equal_whatever_the_sign_of_zero() -> None:
    assert_equal(array(0.0, 1.0, np.inf), array(-0.0, 1.0, np.inf))


@pytest.mark.parametrize(("got", "other"), [(1.0, np.nextafter(1.0, 2.0)), (np.nan, np.nan), (np.inf, -np.inf)])
def test_unequal_numbers_are_refused(got: float, other: float) -> None:
    assert refused(assert_equal, array(1.0, got), array(1.0, other)).where == (1,)


def test_elements_that_are_not_selected_need_not_be_equal() -> None:
    assert_equal(array(1.0, 2.0), array(1.0, 3.0), np.array([True, False]))
    refused(assert_equal, array(1.0, 2.0), array(1.0, 3.0), np.array([False, True]))


def test_the_slack_itself_is_allowed_and_one_unit_beyond_is_not() -> None:
    low, high = array(1 - ERROR), array(1 + ERROR)
    assert_at_least(low, array(1.0), array(ERROR))
    assert_at_most(high, array(1.0), array(ERROR))
    assert "too small" in refused(assert_at_least, np.nextafter(low, 0), array(1.0), array(ERROR)).sentence
    assert "too large" in refused(assert_at_most, np.nextafter(high, 2), array(1.0), array(ERROR)).sentence


@pytest.mark.parametrize("compare", [assert_at_least, assert_at_most])
def test_a_one_sided_limit_applies_to_that_side_only(compare: Callable[..., None]) -> None:
    on_the_other_side = array(9.0) if compare is assert_at_least else array(-9.0)
    compare(on_the_other_side, array(0.0), array(0.0))
    compare(array(-0.0), array(0.0), array(0.0))
    refused(compare, -on_the_other_side, array(0.0), array(0.0))


@pytest.mark.parametrize("compare", [assert_at_least, assert_at_most])
def test_a_limit_refuses_nan_unless_its_slack_is_infinite(compare: Callable[..., None]) -> None:
    refused(compare, array(np.nan), array(0.0), array(ERROR))
    compare(array(*NO_NUMBERS), array(0.0), array(np.inf))


def test_one_limit_is_broadcast_over_an_array() -> None:
    got = np.zeros((2, 3))
    got[1, 2] = -1
    disagreement = refused(assert_at_least, got, np.zeros(()), np.zeros(()))
    assert disagreement.where == (1, 2)
    assert disagreement.expected is not None
    assert disagreement.expected.shape == got.shape


def test_outputs_must_differ_by_as_much_as_their_oracles() -> None:
    oracles = around(1.0), around(2.0)
    assert_changed(array(1.0), array(2.0), oracles)
    refused(assert_changed, array(1.0), array(1.0), oracles)


def test_outputs_need_not_differ_where_their_oracles_hardly_do() -> None:
    assert_changed(array(1.0), array(1.0), (around(1.0), around(1.0 + ERROR)))


def test_an_answer_inside_the_bound_of_the_wrong_oracle_is_refused() -> None:
    assert_outside_bound(array(1.0), around(2.0), around(1.0))
    refused(assert_outside_bound, array(2.0), around(2.0), around(1.0))


def test_an_answer_is_accepted_where_both_oracles_nearly_agree() -> None:
    assert_outside_bound(array(1.0), around(1.0), around(1.0 + ERROR))


def test_a_moved_expectation_has_the_new_value_and_its_uncertainty() -> None:
    oracle = moved(around(1.0, 1.0), array(5.0), ERROR)
    assert_inside_bound(array(5.0, 5.0 + 2 * ERROR), oracle)
    refused(assert_inside_bound, array(5.0, 1.0), oracle)


def test_a_picked_expectation_is_that_of_the_elements_picked() -> None:
    oracle = picked(around(1.0, 2.0, 3.0), slice(1, None))
    assert_inside_bound(array(2.0, 3.0), oracle)
    refused(assert_inside_bound, array(1.0, 2.0), oracle)
