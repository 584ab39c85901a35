"""Every correct computation is inside the bound: of the oracle, of attention in any arithmetic, and of each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference import matrix
from reference.arb import definition
from reference.bounds import error_bound, step_bounds
from reference.bounds.arithmetic import ORACLE
from reference.bounds.attention_error import ForwardPass
from reference.bounds.formats import Array, half_ulp, round_to
from reference.bounds.interval import Interval
from tests.reference.emulated import Emulated
from tests.reference.families import FAMILIES, PRECISIONS, Family, Inputs, draw, random_bias, random_sizes

by_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
by_arithmetic = pytest.mark.parametrize(("dtype", "precision"), PRECISIONS.values(), ids=PRECISIONS)
Case: TypeAlias = tuple[Inputs, float | None, Array | None]


def cases(family: Family, dtype: str, count: int) -> Iterator[Case]:
    rng = np.random.default_rng(2017)
    for _ in range(count):
        sizes = random_sizes(rng)
        inputs = draw(family, rng, sizes, dtype)
        yield inputs, (None, None, 0.3, -0.7)[int(rng.integers(4))], random_bias(rng, sizes[0], sizes[1], dtype)


def emulations(dtype: str, precision: Precision) -> Iterator[Emulated]:
    yield Emulated(dtype, precision)
    yield Emulated(dtype, precision, backwards=True)
    yield Emulated(dtype, precision, exp_signs=706)


def assert_accepts(expected: Interval, answer: Array) -> None:
    assert answer.shape == expected.value.shape
    assert expected.accepts(answer).all(), expected.ratio(answer).max()


@by_family
def test_the_oracle_is_within_its_radius_of_the_exact_answer(family: Family) -> None:
    for inputs, scale, bias in cases(family, "float64", 12):
        value = matrix.attention(*inputs, scale, bias)
        error, _ = ForwardPass.of(*inputs, scale, bias).error(ORACLE)
        distance = definition.attention(*inputs, scale, bias).distance(value)
        assert (distance <= error + half_ulp(value, "float64")).all()


@by_family
@by_arithmetic
def test_attention_in_a_declared_arithmetic_is_accepted(family: Family, dtype: str, precision: Precision) -> None:
    for inputs, scale, bias in cases(family, dtype, 4):
        expected = error_bound.attention(*inputs, roundings_of(precision, dtype), scale=scale, bias=bias)
        for emulated in emulations(dtype, precision):
            assert_accepts(expected, emulated.attention(*inputs, scale, bias))


@by_family
@by_arithmetic
def test_weights_divided_before_they_meet_the_values_are_accepted(
    family: Family, dtype: str, precision: Precision
) -> None:
    for inputs, scale, bias in cases(family, dtype, 4):
        expected = error_bound.attention(*inputs, roundings_of(precision, dtype), scale=scale, bias=bias)
        assert_accepts(expected, Emulated(dtype, precision).divided_first(*inputs, scale, bias))


@by_family
@by_arithmetic
@pytest.mark.parametrize("block", [1, 4])
def test_an_online_softmax_is_accepted(family: Family, dtype: str, precision: Precision, block: int) -> None:
    precision = replace(precision, block=block, normalised=False)
    for inputs, scale, bias in cases(family, dtype, 2):
        expected = error_bound.attention(*inputs, roundings_of(precision, dtype), scale=scale, bias=bias)
        for emulated in emulations(dtype, precision):
            assert_accepts(expected, emulated.online(*inputs, scale, bias))


@by_family
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numpy_in_the_dtype_itself_is_accepted(family: Family, dtype: str) -> None:
    for inputs, _, _ in cases(family, dtype, 8):
        query, key, value = (array.astype(dtype) for array in inputs)
        with np.errstate(all="ignore"):
            scores = query @ key.T / np.sqrt(key.dtype.type(key.shape[-1]))
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            answer = weights / weights.sum(-1, keepdims=True) @ value
        precision = Precision.strict(dtype)
        assert_accepts(error_bound.attention(*inputs, roundings_of(precision, dtype)), answer.astype(np.float64))


@by_family
@by_arithmetic
def test_self_attention_in_a_declared_arithmetic_is_accepted(family: Family, dtype: str, precision: Precision) -> None:
    rng = np.random.default_rng(1706)
    for _ in range(4):
        n, d_model, d_k, d_v = (int(rng.integers(1, most)) for most in (8, 7, 5, 4))
        x, w_query, w_value = draw(family, rng, (n, d_v, d_model, d_model), dtype)
        operands = (x, w_query.T, round_to(rng.standard_normal((d_model, d_v)), dtype), w_value.T[:, :d_k])
        expected = error_bound.self_attention(*operands, roundings_of(precision, dtype))
        for emulated in emulations(dtype, precision):
            with np.errstate(all="ignore"):
                assert_accepts(expected, emulated.self_attention(*operands))


@by_family
def test_the_oracle_of_self_attention_is_accepted_around_the_exact_answer(family: Family) -> None:
    rng = np.random.default_rng(6)
    for _ in range(6):
        x, w_query, w_value = draw(family, rng, (5, 3, 4, 4), "float64")
        operands = (x, w_query.T, rng.standard_normal((4, 3)), w_value.T[:, :2])
        expected = error_bound.self_attention(*operands, ORACLE)
        distance = definition.self_attention(*operands).distance(matrix.self_attention(*operands))
        assert (distance <= expected.error).all()


@by_family
@by_arithmetic
def test_each_step_in_a_declared_arithmetic_is_accepted(family: Family, dtype: str, precision: Precision) -> None:
    roundings = roundings_of(precision, dtype)
    for (query, key, value), _, _ in cases(family, dtype, 4):
        scores = round_to(matrix.score(query, key), dtype)
        weights = round_to(matrix.softmax(scores), dtype)
        weighted = round_to(matrix.weigh(weights, value), dtype)
        d_k = key.shape[-1]
        for emulated in emulations(dtype, precision):
            assert_accepts(step_bounds.project(query, key.T, roundings), emulated.project(query, key.T))
            assert_accepts(step_bounds.score(query, key, roundings), emulated.score(query, key))
            assert_accepts(step_bounds.scale(scores, d_k, roundings), emulated.scale(scores, d_k))
            assert_accepts(step_bounds.softmax(scores, roundings), emulated.softmax(scores))
            assert_accepts(step_bounds.weigh(weights, value, roundings), emulated.weigh(weights, value))
            assert_accepts(step_bounds.sum_values(weighted, roundings), emulated.sum_values(weighted))


@pytest.mark.parametrize("largest", [1e4, 1e30])
def test_huge_scores_have_expected_weights(largest: float) -> None:
    scores = round_to([[0.0, largest, -largest], [largest, 1.0, 2.0]], "float32")
    expected = step_bounds.softmax(scores, roundings_of(Precision.float32(), "float32"))
    np.testing.assert_array_equal(expected.value, [[0, 1, 0], [1, 0, 0]])
    assert (expected.tolerance < 1e-5).all()
    assert not expected.accepts(np.full((2, 3), np.nan)).any()


def test_the_bound_of_a_batch_is_that_of_its_runs() -> None:
    rng = np.random.default_rng(3)
    query, key, value = (rng.standard_normal((2, 3, 5, 4)) for _ in range(3))
    query[0, 1] *= 1000  # one head that needs the exact supremum, next to heads that do not
    roundings = roundings_of(Precision.upcast(), "bfloat16")
    query, key, value = (round_to(array, "bfloat16") for array in (query, key, value))
    together = error_bound.attention(query, key, value, roundings)
    for head in np.ndindex(2, 3):
        alone = error_bound.attention(query[head], key[head], value[head], roundings)
        np.testing.assert_allclose(together.error[head], alone.error, rtol=1e-12)


@pytest.mark.parametrize(
    "shapes",
    [((3, 4), (0, 4), (0, 2)), ((0, 4), (5, 4), (5, 2)), ((3, 4), (5, 4), (5, 0)), ((0, 2, 3, 4),) * 3],
    ids=["no keys", "no queries", "no width", "no batch"],
)
@by_arithmetic
def test_empty_inputs_have_a_well_defined_bound(
    shapes: tuple[tuple[int, ...], ...], dtype: str, precision: Precision
) -> None:
    query, key, value = (np.zeros(shape) for shape in shapes)
    expected = error_bound.attention(query, key, value, roundings_of(precision, dtype))
    assert expected.value.shape == expected.error.shape == (*query.shape[:-1], value.shape[-1])
    assert expected.accepts(expected.value).all()
    scores = matrix.score(query, key)
    assert step_bounds.softmax(scores, roundings_of(precision, dtype)).value.shape == scores.shape


def test_what_may_overflow_is_vacuous() -> None:
    query = key = np.full((1, 4), 200.0)
    value = np.ones((1, 1))
    pure = error_bound.attention(query, key, value, roundings_of(Precision.pure("float16"), "float16"))
    upcast = error_bound.attention(query, key, value, roundings_of(Precision.upcast(), "float16"))
    assert pure.vacuous.all()
    assert not upcast.vacuous.any()
    w = np.full((4, 4), 200.0)
    assert error_bound.self_attention(query, w, w, w, roundings_of(Precision.upcast(), "float16")).vacuous.all()


def test_hidden_keys_change_no_bound_whatever_they_hold() -> None:
    rng = np.random.default_rng(5)
    query, key, value = (rng.standard_normal((4, 3)) for _ in range(3))
    bias = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    roundings = roundings_of(Precision.float32(), "float32")
    clean = error_bound.attention(query, key, value, roundings, bias=bias)
    key[3], value[3] = np.nan, np.inf
    poisoned = error_bound.attention(query, key, value, roundings, bias=bias)
    np.testing.assert_array_equal(clean.value[:3], poisoned.value[:3])
    np.testing.assert_array_equal(clean.error[:3], poisoned.error[:3])
