"""Four mistakes that were made while the bound was validated, each of which must fail here if it is made again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.arb import definition
from reference.bounds import error_bound, step_bounds
from reference.bounds.arithmetic import ORACLE, growth
from reference.bounds.formats import FORMATS, Format, half_ulp, round_to
from reference.bounds.interval import Interval
from tests.reference.emulated import Emulated


@pytest.mark.parametrize("k", [1, 7, 512])
def test_roundings_of_float64_do_not_vanish(k: int) -> None:
    u = FORMATS["float64"].unit_roundoff
    assert (1 + u) ** k - 1 == 0  # the trap: 1 + u is 1
    assert growth((k, u)) == pytest.approx(k * u, rel=1e-12, abs=0)


def test_a_sum_of_float64_is_expected_to_be_wrong_by_its_roundings() -> None:
    n = 9
    weighted = np.full((1, n, 1), 0.1)
    expected = step_bounds.sum_values(weighted, ORACLE)
    assert (expected.error >= n * 2.0**-53 * 0.9).all()
    assert expected.accepts(np.add.accumulate(weighted, axis=1)[:, -1]).all()


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
def test_half_an_ulp_of_zero_is_half_the_smallest_subnormal(format_: Format) -> None:
    assert half_ulp(0.0, format_) == max(format_.smallest_subnormal / 2, math.ulp(0.0))


def test_an_answer_near_zero_has_a_tolerance_near_zero() -> None:
    """The trap: frexp gives 0 the exponent 0, that of the numbers from a half to one."""
    expected = Interval(np.zeros(1), np.zeros(1), "float32", flush=False)
    assert expected.tolerance == FORMATS["float32"].smallest_subnormal / 2
    assert expected.accepts([0.0]).all()
    assert not expected.accepts([FORMATS["float32"].smallest_subnormal]).any()


def test_underflow_of_weights_already_divided_is_not_divided_again() -> None:
    """64 keys share the weight; 64 weigh too little to be stored in float16, and have values that will be missed."""
    n, value = 128, 60000.0
    live = np.arange(n) < n // 2
    query, key = np.ones((1, 1)), np.where(live, 0.0, -13.2)[:, None]
    values = np.where(live, 0.0, value)[:, None]
    query, key = round_to(query, "float16"), round_to(key, "float16")
    precision = Precision.eager("float16")
    answer = Emulated("float16", precision).attention(query, key, values, scale=1.0)
    expected = error_bound.attention(query, key, values, roundings_of(precision, "float16"), scale=1.0)
    assert answer == 0  # every weight that matters was lost
    assert expected.value > 0.05  # far more than the other errors
    assert expected.accepts(answer).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_bias_of_the_lowest_number_does_not_loosen_the_bound(dtype: str) -> None:
    rng = np.random.default_rng(8)
    query, key, value = (round_to(rng.standard_normal((6, 4)), dtype) for _ in range(3))
    out_of_sight = np.zeros((6, 6))
    out_of_sight[:, 2] = -FORMATS[dtype].max
    for precision in Precision.ladder(dtype):
        roundings = roundings_of(precision, dtype)
        expected = error_bound.attention(query, key, value, roundings, bias=out_of_sight)
        hidden = error_bound.attention(query, key, value, roundings, bias=np.where(out_of_sight < 0, -np.inf, 0.0))
        assert not expected.vacuous.any()
        # A hidden key is in no sum over the keys seen, hence not exactly: the value itself may underflow.
        assert (expected.error <= hidden.error * 1.001 + 1e-6 * FORMATS[dtype].unit_roundoff).all()
        distance = definition.attention(query, key, value, bias=out_of_sight).distance(expected.value)
        assert (distance <= expected.error).all()
