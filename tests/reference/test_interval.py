"""A comparison that cannot say no is no comparison."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference import matrix
from reference.bounds import error_bound
from reference.bounds.formats import FORMATS, round_to
from reference.bounds.interval import Interval
from tests.reference.families import PRECISIONS, Family, Inputs, amplifier, draw, normal

STRICT = {"float64": "float64-float64", "float32": "float32-float32", "bfloat16": "bfloat16-upcast"}
STRICT["float16"] = "float16-upcast"
by_dtype = pytest.mark.parametrize("dtype", STRICT)


def problem(family: Family, dtype: str) -> Inputs:
    return draw(family, np.random.default_rng(11), (3, 9, 4, 3), dtype)


def expected_of(inputs: Inputs, dtype: str) -> Interval:
    return error_bound.attention(*inputs, roundings_of(PRECISIONS[STRICT[dtype]][1], dtype))


@by_dtype
def test_the_nearest_number_to_the_value_is_accepted(dtype: str) -> None:
    expected = expected_of(problem(normal, dtype), dtype)
    nearest = round_to(expected.value, dtype)
    assert expected.accepts(nearest).all()
    assert (expected.ratio(nearest) <= 1).all()


def test_the_exact_value_has_an_error_of_zero() -> None:
    expected = expected_of(problem(normal, "float64"), "float64")
    assert (expected.ratio(expected.value) == 0).all()


@by_dtype
def test_the_mean_of_the_values_is_rejected(dtype: str) -> None:
    query, key, value = problem(normal, dtype)
    mean = round_to(np.broadcast_to(value.mean(0), (3, 3)), dtype)
    expected = expected_of((query, key, value), dtype)
    assert not expected.accepts(mean).all()
    assert expected.ratio(mean).max() > 10


@by_dtype
def test_a_scale_a_thousandth_too_large_is_rejected_on_an_amplifier(dtype: str) -> None:
    query, key, value = problem(amplifier, dtype)
    answer = round_to(matrix.attention(query, key, value, scale=1.001 / np.sqrt(4)), dtype)
    assert not expected_of((query, key, value), dtype).accepts(answer).all()


@by_dtype
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_is_rejected(dtype: str, wrong: float) -> None:
    expected = expected_of(problem(normal, dtype), dtype)
    got = np.full_like(expected.value, wrong)
    assert not expected.accepts(got).any()
    assert (expected.ratio(got) == np.inf).all()


@by_dtype
def test_the_ends_of_the_interval_are_accepted_and_their_neighbours_rejected(dtype: str) -> None:
    expected = expected_of(problem(normal, dtype), dtype)
    for end, away in ((expected.value - expected.error, -1), (expected.value + expected.error, 1)):
        last = round_to(end, dtype)
        ulp = 2.0 ** np.floor(np.log2(np.abs(last))) * 2 * FORMATS[dtype].unit_roundoff
        outside = last + away * ulp  # exact: both are in the format
        assert expected.accepts(last).all()
        assert not expected.accepts(outside).any()
        assert (expected.ratio(last) <= 1).all()
        assert (expected.ratio(outside) > 1).all()


def test_a_fully_masked_row_is_expected_to_be_nan() -> None:
    query, key, value = problem(normal, "float32")
    roundings = roundings_of(Precision.float32(), "float32")
    expected = error_bound.attention(query, key, value, roundings, bias=np.full((3, 9), -np.inf))
    assert np.isnan(expected.value).all()
    assert expected.accepts(np.full((3, 3), np.nan)).all()
    assert not expected.accepts(np.zeros((3, 3))).any()
    assert not expected.accepts(np.ones((3, 3))).any()


def test_everything_is_accepted_where_the_bound_is_infinite() -> None:
    expected = Interval(np.zeros(2), np.array([np.inf, 1.0]), "float32", flush=False)
    np.testing.assert_array_equal(expected.vacuous, [True, False])
    np.testing.assert_array_equal(expected.accepts([np.nan, np.nan]), [True, False])
    np.testing.assert_array_equal(expected.ratio([np.nan, np.nan]), [0, np.inf])


def test_a_subnormal_answer_may_be_flushed_only_where_that_is_declared() -> None:
    value = np.array([1e-39])
    assert Interval(value, np.zeros(1), "float32", flush=True).accepts([0.0]).all()
    assert not Interval(value, np.zeros(1), "float32", flush=False).accepts([0.0]).any()
    assert not Interval(np.array([1e-6]), np.zeros(1), "float16", flush=True).accepts([0.0]).any()


def test_an_answer_too_large_for_its_format_is_rightly_infinite() -> None:
    expected = Interval(np.array([1e6]), np.zeros(1), "float16", flush=True)
    assert expected.accepts([np.inf]).all()
    assert expected.ratio([np.inf]) <= 1
    assert not expected.accepts([-np.inf]).any()
