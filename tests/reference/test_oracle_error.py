"""A share of the declared errors is no less than the oracle's own, where it takes their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds.arithmetic import ORACLE, Roundings
from reference.bounds.attention_error import ForwardPass
from reference.bounds.gradient_error import BackwardPass
from reference.bounds.interval import Errors
from reference.bounds.oracle_error import own_errors
from tests.reference.families import Family
from tests.reference.test_error_bound import by_arithmetic, by_family, cases
from tests.reference.test_gradient_bound import gradient_cases

FLOAT32 = roundings_of(Precision.float32(), "float32")


def never() -> Sequence[Errors]:
    """Raise AssertionError: nothing has to be computed."""
    raise AssertionError


def one(error: Callable[[Roundings], Errors]) -> Callable[[Roundings], Sequence[Errors]]:
    """Return what computes a single error."""
    return lambda roundings: [error(roundings)]


def assert_no_less(errors: Callable[[Roundings], Sequence[Errors]], roundings: Roundings) -> int:
    """Raise AssertionError where what takes the place of the oracle's errors is less, and return their number."""
    with np.errstate(all="ignore"):
        declared, own = errors(roundings), errors(ORACLE)
        taken = own_errors(
            declared, lambda: [(np.zeros_like(error), most) for error, most in own], roundings, capped=False
        )
    for (share, _), (computed, _) in zip(taken, own, strict=True):
        assert (share >= computed)[share > 0].all()
    return sum(int((share > 0).sum()) for share, _ in taken)


@by_family
@by_arithmetic
def test_a_share_is_no_less_than_what_is_computed(family: Family, dtype: str, precision: Precision) -> None:
    roundings = roundings_of(precision, dtype)
    for inputs, scale, bias in cases(family, dtype, 6):
        forward = ForwardPass.of(*inputs, scale, bias)
        assert_no_less(one(forward.error), roundings)
        assert_no_less(one(forward.log_sum_exp_error), roundings)
    for case in gradient_cases(family, dtype, 4):
        backward = BackwardPass.of(case.query, case.key, case.value, case.upstream, case.scale, case.bias)
        assert_no_less(backward.errors, roundings)


def test_most_errors_are_shares() -> None:
    query, key, value = np.random.default_rng(3).standard_normal((3, 2, 9, 4))
    forward = ForwardPass.of(query, key, value, None, None)
    assert assert_no_less(one(forward.error), FLOAT32) == value.size


@pytest.mark.parametrize("size", [0.09, 0.2, np.inf])
def test_large_errors_are_computed(size: float) -> None:
    declared: list[Errors] = [(np.array([[1.0, 2.0]]), np.array([[size]]))]
    computed: list[Errors] = [(np.array([[5.0, 6.0]]), np.array([[7.0]]))]
    ((error, most),) = own_errors(declared, lambda: computed, FLOAT32, capped=False)
    assert bool(error[0, 0] == 5.0) is (size > 0.1)
    assert bool(np.max(most) == 7.0) is (size > 0.1)


def test_an_error_that_may_overflow_is_computed() -> None:
    declared: list[Errors] = [(np.array([[np.inf, 2.0]]), np.array([[0.0]]))]
    ((error, _),) = own_errors(declared, lambda: [(np.array([[5.0, 6.0]]), 0.0)], FLOAT32, capped=False)
    assert error[0, 0] == 5.0
    assert 0 < error[0, 1] < 2.0**-20


def test_float64_and_soft_caps_are_computed() -> None:
    computed: list[Errors] = [(np.ones((1, 1)), 0.0)]
    declared: list[Errors] = [(np.full((1, 1), 9.0), 0.0)]
    in_float64 = roundings_of(Precision.float64(), "float64")
    assert own_errors(declared, lambda: computed, in_float64, capped=False) == computed
    assert own_errors(declared, lambda: computed, FLOAT32, capped=True) == computed
    assert own_errors(declared, lambda: computed, replace(FLOAT32, exp_error=0.0), capped=False) == computed
    own_errors(declared, never, FLOAT32, capped=False)
