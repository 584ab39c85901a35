"""The closed form is the derivative of the definition, and hidden keys have no part in it."""

from __future__ import annotations

import numpy as np
import pytest

from reference import gradient, matrix, vector
from reference.arb import definition, derivative
from reference.bounds.formats import Array
from tests.reference.families import random_bias

STEP = 2.0**-17
"""The cube root of the unit roundoff: where rounding and curvature cost a central difference the same."""


def problem(seed: int, n_queries: int = 3, n_keys: int = 5) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    shapes = ((n_queries, 4), (n_keys, 4), (n_keys, 2), (n_queries, 2))
    query, key, value, upstream = (rng.standard_normal(shape) for shape in shapes)
    return query, key, value, upstream


def central_differences(inputs: list[Array], which: int, upstream: Array, bias: Array | None) -> Array:
    def objective(place: tuple[int, ...], step: float) -> float:
        moved = [array.copy() for array in inputs]
        moved[which][place] += step
        query, key, value = moved
        return float((upstream * matrix.attention(query, key, value, 0.3, bias)).sum())

    slopes = np.empty_like(inputs[which])
    for place in np.ndindex(slopes.shape):
        slopes[place] = (objective(place, STEP) - objective(place, -STEP)) / (2 * STEP)
    return slopes


@pytest.mark.parametrize("seed", range(3))
def test_the_closed_form_is_what_central_differences_approach(seed: int) -> None:
    *inputs, upstream = problem(seed)
    bias = random_bias(np.random.default_rng(seed), 3, 5, "float64")
    query, key, value = inputs
    for which, closed in enumerate(gradient.attention(query, key, value, upstream, 0.3, bias)):
        differences = central_differences(inputs, which, upstream, bias)
        np.testing.assert_allclose(closed, differences, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_closed_form_is_the_derivative_of_the_definition(seed: int) -> None:
    inputs = problem(seed, n_queries=2 + seed % 3, n_keys=1 + seed)
    scale, bias = (None, 0.3)[seed % 2], random_bias(np.random.default_rng(seed), 2 + seed % 3, 1 + seed, "float64")
    closed = gradient.attention(*inputs, scale, bias)
    derived = derivative.attention(*inputs, scale, bias, numbers=definition.ARB)
    for approached, balls in zip(closed, derived, strict=True):
        mids = np.frompyfunc(lambda ball: float(ball.mid()), 1, 1)(balls)
        np.testing.assert_allclose(approached, mids.astype(np.float64), rtol=1e-12, atol=1e-14)


def test_duals_over_floats_are_derivatives_too() -> None:
    query, key, value, upstream = problem(7)
    for closed, derived in zip(
        gradient.attention(query, key, value, upstream),
        derivative.attention(query, key, value, upstream),
        strict=True,
    ):
        np.testing.assert_allclose(closed, derived.astype(np.float64), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("name", "slope"), [("exp", 7.38905609893065), ("log", 0.5), ("tanh", 0.07065082485316443)])
def test_dual_functions_know_their_derivatives(name: str, slope: float) -> None:
    function = getattr(derivative.dual(vector.FLOAT), name)
    assert function(derivative.Dual(2.0, 1.0)).slope == pytest.approx(slope, rel=1e-12)


def test_the_gradients_of_a_batch_are_those_of_its_runs() -> None:
    rng = np.random.default_rng(3)
    query, key, value, upstream = (rng.standard_normal((2, 3, 5, 4)) for _ in range(4))
    together = gradient.attention(query, key, value, upstream)
    for head in np.ndindex(2, 3):
        alone = gradient.attention(query[head], key[head], value[head], upstream[head])
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(whole[head], part, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("garbage", [np.nan, np.inf, 1e300])
def test_a_hidden_key_has_no_gradient_and_changes_none_whatever_it_holds(garbage: float) -> None:
    query, key, value, upstream = problem(11)
    bias = np.zeros((3, 5))
    bias[:, 4] = -np.inf
    key[4], value[4] = garbage, -garbage
    d_query, d_key, d_value = gradient.attention(query, key, value, upstream, bias=bias)
    without = gradient.attention(query, key[:4], value[:4], upstream)
    for got, expected in zip((d_query, d_key[:4], d_value[:4]), without, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)
    assert not d_key[4].any()
    assert not d_value[4].any()


def test_nan_in_a_key_reaches_only_the_queries_that_see_it() -> None:
    query, key, value, upstream = problem(12, n_queries=5)
    key[4] = value[4] = np.nan
    bias = np.where(np.tri(5, dtype=bool), 0.0, -np.inf)
    d_query, _, _ = gradient.attention(query, key, value, upstream, bias=bias)
    np.testing.assert_array_equal(np.isnan(d_query).any(-1), [False, False, False, False, True])


def test_a_fully_masked_row_adds_no_gradient_whatever_it_holds() -> None:
    query, key, value, upstream = problem(13)
    bias = np.zeros((3, 5))
    bias[1] = -np.inf
    query[1] = upstream[1] = np.nan
    d_query, d_key, d_value = gradient.attention(query, key, value, upstream, bias=bias)
    rest = gradient.attention(query[[0, 2]], key, value, upstream[[0, 2]])
    assert not d_query[1].any()
    for got, expected in zip((d_query[[0, 2]], d_key, d_value), rest, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("n_queries", "n_keys"), [(0, 5), (3, 0)])
def test_the_gradients_of_empty_inputs_are_zero(n_queries: int, n_keys: int) -> None:
    query, key, value, upstream = problem(14, n_queries, n_keys)
    gradients = gradient.attention(query, key, value, upstream)
    for array, closed in zip((query, key, value), gradients, strict=True):
        assert closed.shape == array.shape
        assert not closed.any()
