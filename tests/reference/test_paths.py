"""The worked example of the document, and the two paths, which are one function."""

from __future__ import annotations

import importlib
import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from reference import matrix, vector
from reference.arb import definition
from reference.bounds.formats import Array
from tests.reference.families import FAMILIES, Family, draw, random_bias, random_sizes

THINKING, OTHER = 1.75, 1.5
"""Keys of 64 equal numbers, whose scores for a query of ones are those of Alammar's figure: 112 and 96."""


def test_the_worked_numbers_of_the_vector_path() -> None:
    query, keys = [1.0] * 64, [[THINKING] * 64, [OTHER] * 64]
    scores = [vector.score(query, key) for key in keys]
    scaled = [vector.scale(score, 64) for score in scores]
    weights = vector.softmax(scaled)
    assert scores == [112, 96]
    assert scaled == [14, 12]
    assert [round(weight, 2) for weight in weights] == [0.88, 0.12]
    assert vector.weigh(weights[0], [1.0, 10.0]) == [weights[0], 10 * weights[0]]
    assert vector.attend(query, keys, [[1.0, 0.0], [0.0, 1.0]]) == weights


def test_the_worked_numbers_of_the_matrix_path() -> None:
    query, key = np.ones((1, 64)), np.repeat([[THINKING], [OTHER]], 64, 1)
    scores = matrix.score(query, key)
    scaled = matrix.scale(scores, 64)
    np.testing.assert_array_equal(scores, [[112, 96]])
    np.testing.assert_array_equal(scaled, [[14, 12]])
    np.testing.assert_array_equal(matrix.softmax(scaled).round(2), [[0.88, 0.12]])
    np.testing.assert_array_equal(matrix.weights(query, key), matrix.softmax(scaled))


def test_the_rational_steps_are_exact_on_fractions() -> None:
    third = Fraction(1, 3)
    assert vector.project([third, third], [[1, 2], [3, 4]]) == [Fraction(4, 3), 2]
    assert vector.score([third, 1], [third, 2]) == Fraction(19, 9)
    assert vector.weigh(third, [third, 6]) == [Fraction(1, 9), 2]
    assert vector.sum_values([[third, 1], [third, 2], [third, 3]]) == [1, 6]


def test_ten_tokens_of_width_four_become_ten_outputs_of_width_three() -> None:
    rng = np.random.default_rng(10)
    x = rng.standard_normal((10, 4))
    w_query, w_key, w_value = (rng.standard_normal((4, 3)) for _ in range(3))
    assert matrix.project(x, w_query).shape == (10, 3)
    output = matrix.self_attention(x, w_query, w_key, w_value)
    assert output.shape == (10, 3)
    words = vector.self_attention(x.tolist(), w_query.tolist(), w_key.tolist(), w_value.tolist())
    np.testing.assert_allclose(words, output, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_the_vector_path_equals_the_matrix_path(family: Family) -> None:
    rng = np.random.default_rng(31)
    for _ in range(10):
        sizes = random_sizes(rng)
        query, key, value = draw(family, rng, sizes, "float32")
        bias = random_bias(rng, sizes[0], sizes[1], "float32")
        rows = None if bias is None else bias.tolist()
        words = vector.attention(query.tolist(), key.tolist(), value.tolist(), bias=rows)
        ball = definition.attention(query, key, value, bias=bias)
        # Both are float64: as float32 sees it, each is the exact answer.
        close = np.abs(value).max() * 2.0**-24
        assert (ball.distance(words) <= close).all()
        assert (ball.distance(matrix.attention(query, key, value, bias=bias)) <= close).all()


def test_the_steps_of_the_matrix_path_compose_to_it() -> None:
    rng = np.random.default_rng(32)
    query, key, value = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4)), rng.standard_normal((2, 5, 6))
    weights = matrix.softmax(matrix.scale(matrix.score(query, key), 4))
    weighted = matrix.weigh(weights, value)
    assert weighted.shape == (2, 3, 5, 6)
    np.testing.assert_allclose(matrix.sum_values(weighted), matrix.attention(query, key, value), rtol=1e-12)


def left_out(bias: list[float]) -> tuple[Array, Array]:
    rng = np.random.default_rng(33)
    query, key, value = rng.standard_normal((1, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 2))
    seen = [j for j in range(3) if bias[j] != -math.inf]
    key[bias.index(-math.inf)] = value[bias.index(-math.inf)] = np.nan
    biased = vector.attention(query.tolist(), key.tolist(), value.tolist(), bias=[bias])
    np.testing.assert_allclose(matrix.attention(query, key, value, bias=[bias]), biased, rtol=1e-12)
    rest = [bias[j] for j in seen]
    return matrix.attention(query, key, value, bias=[bias]), matrix.attention(
        query, key[seen], value[seen], bias=[rest]
    )


@pytest.mark.parametrize("bias", [[0.0, -math.inf, 0.0], [-math.inf, 0.5, 2.0]])
def test_a_hidden_key_is_left_out_whatever_it_holds(bias: list[float]) -> None:
    with_it, without = left_out(bias)
    np.testing.assert_allclose(with_it, without, rtol=1e-12)


def test_a_fully_masked_row_is_nan() -> None:
    hidden = [[-math.inf]]
    assert np.isnan(matrix.attention([[1.0]], [[1.0]], [[1.0]], bias=hidden)).all()
    assert math.isnan(vector.attention([[1.0]], [[1.0]], [[1.0]], bias=hidden)[0][0])
    assert np.isnan(definition.attention([[1.0]], [[1.0]], [[1.0]], bias=hidden).mid).all()
    assert np.isnan(matrix.attention(np.ones((2, 3)), np.ones((0, 3)), np.ones((0, 4)))).all()
    assert vector.attend([1.0], [], []) == []


def test_scores_far_apart_do_not_overflow() -> None:
    query, key, value = np.ones((1, 1)), np.array([[1e5], [-1e5]]), np.array([[1.0], [2.0]])
    assert matrix.attention(query, key, value) == 1
    assert vector.attend([1.0], [[1e5], [-1e5]], [[1.0], [2.0]]) == [1]


def test_self_attention_in_exact_arithmetic_encloses_the_matrix_path() -> None:
    rng = np.random.default_rng(34)
    operands = [rng.standard_normal(shape) for shape in ((5, 4), (4, 3), (4, 3), (4, 2))]
    ball = definition.self_attention(*operands)
    assert (ball.distance(matrix.self_attention(*operands)) < 1e-13).all()
    assert (ball.radius < 1e-30).all()


def test_more_precision_gives_a_smaller_ball_inside_the_larger() -> None:
    rng = np.random.default_rng(35)
    query, key, value = (rng.standard_normal((4, 3)) for _ in range(3))
    coarse, fine = (definition.attention(query, key, value, precision=bits) for bits in (40, 200))
    assert (fine.radius < coarse.radius).all()
    assert (np.abs((fine.mid - coarse.mid) + (fine.low - coarse.low)) <= coarse.radius).all()


def test_without_flint_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.delitem(sys.modules, "reference.arb.definition")
    with pytest.raises(ImportError, match=r"pip install attention-tests\[arb\]"):
        importlib.import_module("reference.arb.definition")
