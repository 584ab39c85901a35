"""Expected gradients where little is left of a problem: hidden keys, no keys, no numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference import gradient
from reference.bounds import gradient_bound
from reference.bounds.arithmetic import Roundings
from reference.bounds.formats import Array, round_to
from tests.reference.families import PRECISIONS

by_arithmetic = pytest.mark.parametrize(
    "roundings", [roundings_of(precision, dtype) for dtype, precision in PRECISIONS.values()], ids=PRECISIONS
)
FLOAT32 = roundings_of(Precision.float32(), "float32")


def problem(n_queries: int = 4, n_keys: int = 4) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(5)
    shapes = ((n_queries, 3), (n_keys, 3), (n_keys, 2), (n_queries, 2))
    query, key, value, upstream = (rng.standard_normal(shape) for shape in shapes)
    return query, key, value, upstream


def test_hidden_keys_change_no_gradient_bound_whatever_they_hold() -> None:
    query, key, value, upstream = problem()
    bias = np.zeros((4, 4))
    bias[:, 3] = -np.inf
    clean = gradient_bound.gradient(query, key, value, upstream, FLOAT32, bias=bias)
    key[3], value[3] = np.nan, np.inf
    poisoned = gradient_bound.gradient(query, key, value, upstream, FLOAT32, bias=bias)
    for before, after in zip(clean, poisoned, strict=True):
        np.testing.assert_allclose(before.value, after.value, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(before.error, after.error, rtol=1e-9)


@by_arithmetic
def test_a_key_hidden_from_every_query_has_a_gradient_of_exactly_zero(roundings: Roundings) -> None:
    bias = np.zeros((4, 4))
    bias[:, 3] = -np.inf
    _, d_key, d_value = gradient_bound.gradient(*problem(), roundings, bias=bias)
    for expected in (d_key, d_value):
        assert not expected.value[3].any()
        assert (expected.error[3] <= 2.0**-1070).all()


@by_arithmetic
def test_a_fully_masked_row_adds_nothing_to_the_errors_of_others(roundings: Roundings) -> None:
    query, key, value, upstream = problem()
    rest = gradient_bound.gradient(query[:3], key, value, upstream[:3], roundings)
    bias = np.zeros((4, 4))
    bias[3] = -np.inf
    query[3] = upstream[3] = np.nan
    expected = gradient_bound.gradient(query, key, value, upstream, roundings, bias=bias)
    assert not expected[0].value[3].any()
    assert (expected[0].error[3] <= 2.0**-1070).all()
    for one, without in zip(expected, rest, strict=True):
        # The roundings of a sum over four queries, and of a bias, are a few more.
        assert (one.error[: len(without.error)] <= 1.5 * without.error).all()


def test_a_key_with_a_bias_of_the_lowest_number_counts_as_hidden() -> None:
    least, hidden = np.zeros((4, 4)), np.zeros((4, 4))
    least[:, 3], hidden[:, 3] = np.finfo(np.float32).min, -np.inf
    expected = gradient_bound.gradient(*problem(), FLOAT32, bias=least)
    same = gradient_bound.gradient(*problem(), FLOAT32, bias=hidden)
    for one, other in zip(expected, same, strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-12, atol=1e-300)
        assert (one.error <= 2 * other.error + 1e-30).all()


@pytest.mark.parametrize(("n_queries", "n_keys"), [(0, 4), (4, 0)])
@by_arithmetic
def test_empty_inputs_have_a_well_defined_bound(n_queries: int, n_keys: int, roundings: Roundings) -> None:
    inputs = problem(n_queries, n_keys)
    for array, expected in zip(inputs[:3], gradient_bound.gradient(*inputs, roundings), strict=True):
        assert expected.value.shape == expected.error.shape == array.shape
        assert expected.accepts(np.zeros_like(array)).all()
        assert not expected.accepts(np.ones_like(array)).any()


@by_arithmetic
def test_an_upstream_gradient_of_zero_is_expected_to_give_zero(roundings: Roundings) -> None:
    query, key, value, upstream = problem()
    for expected in gradient_bound.gradient(query, key, value, 0 * upstream, roundings):
        assert expected.accepts(np.zeros_like(expected.value)).all()
        assert (expected.error < 1e-5).all()


def test_what_may_overflow_is_vacuous() -> None:
    query, key, value, upstream = np.ones((1, 4)), np.ones((2, 4)), np.full((2, 1), 3e4), np.full((1, 1), 3.0)
    pure = gradient_bound.gradient(query, key, value, upstream, roundings_of(Precision.pure("float16"), "float16"))
    upcast = gradient_bound.gradient(query, key, value, upstream, roundings_of(Precision.upcast(), "float16"))
    assert [one.vacuous.all() for one in pure] == [True, True, False]
    assert not any(one.vacuous.any() for one in upcast)


def test_a_score_that_may_overflow_makes_the_gradients_vacuous() -> None:
    query, key, value, upstream = problem()
    query[0], key[0] = 300, 300
    precision = replace(Precision.pure("float16"), merges=0)
    pure = gradient_bound.gradient(query, key, value, upstream, roundings_of(precision, "float16"))
    assert pure[0].vacuous[0].all()
    assert not pure[0].vacuous[1:].any()
    assert all(one.vacuous.all() for one in pure[1:])


def test_gradients_of_scaled_scores_may_underflow() -> None:
    """The trap: a dS of 2e-7 has a digit left in float16, and none once it is divided by 6."""
    query, key, value, upstream = np.ones((23, 36)), np.zeros((2, 36)), np.ones((2, 1)), np.ones((23, 1))
    key[1], value[0] = -14.6 / 6, 0
    roundings = roundings_of(Precision.eager("float16"), "float16")
    key = round_to(key, "float16")
    _, d_key, _ = gradient_bound.gradient(query, key, value, upstream, roundings)
    assert (d_key.value[1] > 23 * 2.0**-26).all()
    assert d_key.accepts(np.zeros_like(key)).all()


def test_a_hidden_key_that_may_overflow_makes_the_gradients_vacuous() -> None:
    """The trap: the weight is 0 and its gradient ∞, whose product is no number."""
    query, key, value, upstream = problem()
    value[3], bias = 6e4, np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    roundings = roundings_of(Precision.eager("float16"), "float16")
    d_query, _, _ = gradient_bound.gradient(query, key, value, 10 * upstream, roundings, bias=bias)
    assert d_query.vacuous[0].all()


@by_arithmetic
def test_the_bound_of_a_batch_is_that_of_its_runs(roundings: Roundings) -> None:
    rng = np.random.default_rng(3)
    query, key, value, upstream = (rng.standard_normal((2, 3, 5, 4)) for _ in range(4))
    query[0, 1] *= 30  # one head that needs the exact supremum, next to heads that do not
    together = gradient_bound.gradient(query, key, value, upstream, roundings)
    for head in np.ndindex(2, 3):
        operands = (query[head], key[head], value[head], upstream[head])
        alone = gradient_bound.gradient(*operands, roundings)
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(whole.error[head], part.error, rtol=1e-9)


def test_the_value_is_the_closed_form() -> None:
    inputs = problem()
    for expected, closed in zip(gradient_bound.gradient(*inputs, FLOAT32), gradient.attention(*inputs), strict=True):
        np.testing.assert_array_equal(expected.value, closed)
