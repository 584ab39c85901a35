"""Soft caps and the log-sum-exp, which the document leaves out and layers have."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference import matrix, vector
from reference.arb import definition
from reference.bounds import error_bound
from reference.bounds.arithmetic import ORACLE
from reference.bounds.formats import round_to
from tests.reference.emulated import Emulated
from tests.reference.families import Family
from tests.reference.test_error_bound import assert_accepts, by_arithmetic, by_family, cases

CAPS = (0.5, 5.0, 50.0)


def test_a_capped_score_stays_below_the_cap_and_near_zero_is_itself() -> None:
    assert [vector.soft_cap(score, 30.0) for score in (1e9, -1e9)] == [30, -30]
    assert vector.soft_cap(1e-9, 30.0) == pytest.approx(1e-9, rel=1e-12)


def test_log_sum_exp_of_two_equal_scores_is_the_score_and_log_two() -> None:
    assert vector.log_sum_exp([3.0, 3.0]) == pytest.approx(3 + np.log(2), rel=1e-15)
    np.testing.assert_allclose(matrix.log_sum_exp([[1000.0, 1000.0]]), [1000 + np.log(2)], rtol=1e-15)
    assert np.isneginf(matrix.log_sum_exp([[-np.inf, -np.inf]]))


@by_family
def test_the_oracle_of_capped_attention_is_accepted_around_the_exact_answer(family: Family) -> None:
    for inputs, scale, bias in cases(family, "float64", 4):
        for cap in CAPS:
            expected = error_bound.attention(*inputs, ORACLE, scale=scale, bias=bias, softcap=cap)
            ball = definition.attention(*inputs, scale, bias, softcap=cap)
            assert (ball.distance(expected.value) <= expected.radius).all()


@by_family
def test_the_oracle_of_the_log_sum_exp_is_within_its_radius(family: Family) -> None:
    for (query, key, _), scale, bias in cases(family, "float64", 6):
        if bias is None or not np.isneginf(bias).all(-1).any():
            expected = error_bound.log_sum_exp(query, key, ORACLE, scale=scale, bias=bias)
            distance = definition.log_sum_exp(query, key, scale, bias).distance(expected.value)
            assert (distance <= expected.radius).all()


@by_family
@by_arithmetic
def test_a_declared_arithmetic_is_accepted(family: Family, dtype: str, precision: Precision) -> None:
    for (query, key, value), scale, bias in cases(family, dtype, 3):
        for cap in CAPS:
            emulated = Emulated(dtype, precision, softcap=cap)
            expected = error_bound.attention(
                query, key, value, roundings_of(precision, dtype), scale=scale, bias=bias, softcap=cap
            )
            assert_accepts(expected, emulated.attention(query, key, value, scale, bias))
        declared = error_bound.log_sum_exp(query, key, roundings_of(precision, dtype), scale=scale, bias=bias)
        for emulated in (Emulated(dtype, precision), Emulated(dtype, precision, exp_signs=75)):
            assert_accepts(declared, emulated.log_sum_exp(query, key, scale, bias))


def test_scores_that_are_not_capped_are_refused() -> None:
    query, key, value = np.array([[2.0]]), np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    expected = error_bound.attention(query, key, value, roundings_of(Precision.float32(), "float32"), softcap=10.0)
    assert expected.accepts(round_to(matrix.attention(query, key, value, softcap=10.0), "float32")).all()
    assert not expected.accepts(round_to(matrix.attention(query, key, value), "float32")).any()


def test_a_log_sum_exp_of_too_few_keys_is_refused() -> None:
    query, key = np.random.default_rng(1).standard_normal((2, 5, 4)).astype(np.float32)
    expected = error_bound.log_sum_exp(query, key, roundings_of(Precision.float32(), "float32"))
    assert not expected.accepts(matrix.log_sum_exp(matrix.logits(query, key)[:, :-1])).any()
    assert not expected.accepts(matrix.log_sum_exp(matrix.logits(query, key)) / np.log(2)).any()
