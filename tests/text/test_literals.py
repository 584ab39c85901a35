"""Printed literals are Python, and give the same bits when they are run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from attention_tests.engine.explain import literals, one_line
from attention_tests.text.literals import literal, number
from properties.drawing.problem import Problem, in_format
from reference.bounds.formats import FORMATS, round_to

by_dtype = pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])


def extremes(dtype: str) -> Any:
    format_ = FORMATS[dtype]
    largest = format_.max
    smallest = format_.smallest_subnormal
    positive = [0.0, smallest, 3 * smallest, format_.smallest_normal, 1 / 3, 1.0, 1e4, largest, np.inf]
    return round_to([*positive, *(-x for x in positive), np.nan], dtype)


def evaluated(lines: list[str]) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    exec("\n".join(lines), names)  # noqa: S102 - what is printed is Python
    return names


@dataclass(frozen=True)
class Given:
    """What can be drawn, but for problems: a mask, an empty array, and options that are no arrays."""

    mask: Any
    bias: Any
    dtype: str = "float16"

    @property
    def axes(self) -> dict[str, str]:
        return {"mask": "qk", "bias": "qk"}

    @property
    def options(self) -> dict[str, Any]:
        return {"mask": self.mask, "bias": self.bias, "scale": -0.1, "window": 3, "causal": True}

    def with_arrays(self, **arrays: Any) -> Given:
        return replace(self, **arrays)


def problem(dtype: str, *, keys: int = 3) -> Problem:
    random = np.random.default_rng(1)
    query, key, value = (in_format(random.standard_normal((1, 2, n, 2)), dtype) for n in (2, keys, keys))
    return Problem(query, key, value, dtype)


def test_all_arrays_are_written_in_one_line() -> None:
    given = Given(np.array([[True, False]]), np.array([[0.5, -1.0]]))
    assert one_line(given) == "mask = [[True, False]], bias = [[0.5, -1.0]]"


@by_dtype
def test_a_literal_is_the_array_to_the_bit(dtype: str) -> None:
    array = extremes(dtype).reshape(1, 1, -1, 1)
    again = evaluated(literal("x", array, dtype))["x"]
    assert again.shape == array.shape
    assert str(again.dtype) == ("float32" if dtype == "bfloat16" else dtype)
    assert again.astype(np.float64).tobytes() == array.tobytes()


def test_a_literal_is_any_number_of_16_bits() -> None:
    bits = np.arange(0, 2**16, 5, dtype=np.uint16)
    for dtype, array in (
        ("float16", bits.view(np.float16)),
        ("bfloat16", (bits.astype(np.uint32) << 16).view(np.float32)),
    ):
        numbers = array[np.isfinite(array)]
        assert evaluated(literal("x", numbers.astype(np.float64), dtype))["x"].tobytes() == numbers.tobytes()


def test_a_literal_is_written_in_the_fewest_digits() -> None:
    assert literal("x", np.array([float(np.float32(0.1)), -0.0]), "float32") == [
        "x = np.array([ 0.1, -0. ], dtype=np.float32)"
    ]


def test_a_number_that_the_dtype_lacks_is_written_whole() -> None:
    assert literal("x", np.array([1 / 3]), "float16") == ["x = np.array([0.3333333333333333], dtype=np.float64)"]


def test_the_rows_of_a_literal_stand_below_each_other() -> None:
    lines = literal("key", np.ones((2, 1, 3, 2)), "float32")
    assert len(lines) == 6
    assert len({line.index("[1.") for line in lines}) == 1


def test_numpy_print_options_do_not_matter() -> None:
    with np.printoptions(precision=2, suppress=True, sign="+", nanstr="none", threshold=1, legacy="1.13"):
        lines = literal("x", np.array([1e-7, 1 / 3, np.nan]), "float64")
    assert np.array_equal(evaluated(lines)["x"], [1e-7, 1 / 3, np.nan], equal_nan=True)


@by_dtype
def test_a_problem_is_printed_so_that_it_can_be_run(dtype: str) -> None:
    given = problem(dtype)
    names = evaluated(literals(given))
    for name in ("query", "key", "value"):
        assert np.array_equal(names[name], getattr(given, name))


def test_masks_and_options_are_printed_too() -> None:
    given = Given(mask=np.array([[True, False]]), bias=np.array([[0.0, -np.inf]]))
    names = evaluated(literals(given))
    assert names["mask"].dtype == bool
    assert names["mask"].tolist() == [[True, False]]
    assert names["bias"].tolist() == [[0.0, -np.inf]]
    assert (names["scale"], names["window"], names["causal"]) == (-0.1, 3, True)


def test_an_empty_array_keeps_its_shape() -> None:
    array = evaluated(literal("x", np.zeros((1, 0, 3)), "float16"))["x"]
    assert (array.shape, str(array.dtype)) == ((1, 0, 3), "float16")


@pytest.mark.parametrize(
    ("x", "written"),
    [
        (0.0, "np.zeros((1, 1, 129, 1), dtype=np.float32)"),
        (-0.0, "np.full((1, 1, 129, 1), -0.0, dtype=np.float32)"),
        (0.1, "np.full((1, 1, 129, 1), 0.1, dtype=np.float32)"),
        (-np.inf, "np.full((1, 1, 129, 1), -np.inf, dtype=np.float32)"),
        (np.nan, "np.full((1, 1, 129, 1), np.nan, dtype=np.float32)"),
    ],
)
def test_an_array_of_one_number_is_written_in_one_line(x: float, written: str) -> None:
    array = np.full((1, 1, 129, 1), np.float32(x), np.float64)
    assert literal("x", array, "float32") == [f"x = {written}"]
    assert evaluated(literal("x", array, "float32"))["x"].tobytes() == array.astype(np.float32).tobytes()


def test_zeros_of_both_signs_are_no_array_of_one_number() -> None:
    array = np.where(np.arange(32) == 5, -0.0, 0.0)
    assert evaluated(literal("x", array, "float64"))["x"].tobytes() == array.tobytes()


def test_a_large_array_of_one_number_is_written_and_another_shown_by_its_own_dtype_and_shape() -> None:
    full = np.ones((1, 1, 1, 1025), bool)
    assert literals(Given(mask=full, bias=np.zeros((40, 40)))) == [
        "mask = np.full((1, 1, 1, 1025), True, dtype=np.bool)",
        "bias = np.zeros((40, 40), dtype=np.float16)",
        "scale = -0.1",
        "window = 3",
        "causal = True",
    ]
    mask = np.arange(1025).reshape(1, 1, 1, 1025) > 3
    assert "# mask: bool, of shape (1, 1, 1, 1025)" in literals(Given(mask=mask, bias=np.arange(2.0)))


def test_an_option_that_is_an_array_is_a_literal_or_a_comment_where_nothing_can_be_shrunk() -> None:
    given = replace(problem("float32"), axes={}, mask=np.array([[True, False, True]]))
    names = evaluated(literals(given))
    assert names["mask"].tolist() == [[True, False, True]]
    assert names["key"].shape == given.key.shape
    large = replace(given, mask=np.arange(1025) > 3)
    assert "# mask: bool, of shape (1025,)" in literals(large)


def test_an_array_too_large_to_read_is_shown_by_its_shape() -> None:
    lines = literals(problem("float32", keys=300))
    assert "# key: float32, of shape (1, 2, 300, 2)" in lines
    assert any(line.startswith("query = ") for line in lines)
    evaluated(lines)


@pytest.mark.parametrize(
    ("x", "dtype", "written"),
    [
        (float(np.float32(0.1)), "float32", "0.1"),
        (0.1, "float32", "0.1"),
        (1 / 3, "float32", "0.3333333333333333"),
        (-0.0, "float16", "-0.0"),
        (float(np.float16(0.3)), "float16", "0.3"),
        (np.nan, "float32", "nan"),
        (-np.inf, "float32", "-inf"),
        (1e300, "float16", "1e+300"),
        (0.337890625, "bfloat16", "0.33789062"),
    ],
)
def test_a_number_is_written_in_the_digits_of_its_dtype(x: float, dtype: str, written: str) -> None:
    assert number(x, dtype) == written
    assert number(np.float64(x), dtype) == written
