"""Values as source text: the same bits when they are read again, in little room."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from attention_tests.reproducers.sources import Unwritable, array_source, scalar_source, stored_dtype


def again(text: str) -> Any:
    return eval(text, {"np": np, "base64": base64})  # noqa: S307 - what is written is Python


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("size", [0, 1, 7, 5000])
def test_an_array_is_the_same_to_the_bit(dtype: str, size: int) -> None:
    stored = "float32" if dtype == "bfloat16" else dtype
    array = np.random.default_rng(size).standard_normal((size, 1)).astype("float16").astype(np.float64)
    array[:1] = -0.0
    read = again(array_source(array, dtype))
    assert str(read.dtype) == stored == stored_dtype(array, dtype)
    assert read.astype(np.float64).tobytes() == array.tobytes()
    assert read.flags.writeable


def test_a_number_that_the_dtype_lacks_is_written_in_float64() -> None:
    array = np.full((3, 3000), 0.1)
    array[0] = 0.2
    assert stored_dtype(array, "float16") == "float64"
    assert again(array_source(array, "float16")).tobytes() == array.tobytes()


@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, np.nan, np.inf, True])
def test_a_constant_array_is_written_as_one_number(number: float) -> None:
    array = np.full((64, 64), number)
    text = array_source(array, "bool" if array.dtype == bool else "float32")
    assert len(text) < 60
    assert again(text).astype(array.dtype).tobytes() == array.tobytes()


def test_a_large_array_takes_little_more_than_its_bytes() -> None:
    array = np.random.default_rng(1).standard_normal((257, 64)).astype(np.float32).astype(np.float64)
    assert len(array_source(array, "float32")) < 1.5 * 4 * array.size


@pytest.mark.parametrize(
    "x", [None, True, 3, 0.1, -0.0, float("inf"), np.float64(0.1), np.float32(0.1), np.float64("-inf"), np.int64(-2)]
)
def test_a_number_keeps_its_type_and_its_bits(x: Any) -> None:
    read = again(scalar_source(x))
    assert type(read) is type(x)
    assert str(read) == str(x)
    assert x is None or np.signbit(read) == np.signbit(x)


def test_nan_is_written_too() -> None:
    assert np.isnan(again(scalar_source(float("nan"))))
    assert np.isnan(again(scalar_source(np.float32("nan"))))


def test_anything_else_cannot_be_written() -> None:
    with pytest.raises(Unwritable):
        scalar_source(object())
