"""NumPy source text of arrays and numbers, to the bit."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


WIDTH = 120


ELEMENTS_TO_PRINT = 512
ONE_BY_ONE = 16
"""As many equal numbers are written one by one."""


def literal(name: str, array: Array, dtype: str) -> list[str]:
    """Write one array so that evaluating the text gives the same bits, in the fewest digits that do."""
    return beside(f"{name} = ", array_literal(array, dtype)).splitlines()


def array_literal(array: Array, dtype: str) -> str:
    """Write the expression for an array, in `dtype` where that has all its numbers, else in float64."""
    numbers = narrowed(array, dtype)
    is_filled = not numbers.size or (numbers.size > ONE_BY_ONE and is_of_one_number(numbers))
    return _filled(numbers) if is_filled else _listed(numbers)


def is_of_one_number(array: Array) -> bool:
    """Tell whether all elements of an array have the same bits."""
    return array.tobytes() == array.ravel()[:1].tobytes() * array.size


def _filled(numbers: Array) -> str:
    """Write the expression for an array that is all one number, or empty."""
    number, of = str(numbers.ravel()[0]) if numbers.size else "0.0", f"{numbers.shape}"
    if number == "0.0":
        return f"np.zeros({of}, dtype=np.{numbers.dtype})"
    named = number.replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.full({of}, {named}, dtype=np.{numbers.dtype})"


def _listed(numbers: Array) -> str:
    start = "np.array("
    with np.printoptions(
        floatmode="unique", suppress=False, sign="-", nanstr="np.nan", infstr="np.inf", formatter=None, legacy=False
    ):
        text = np.array2string(numbers, separator=", ", threshold=sys.maxsize, max_line_width=90, prefix=start)
    # NumPy leaves a blank line between matrices.
    text = "\n".join(line for line in text.splitlines() if line)
    return f"{start}{text}, dtype=np.{numbers.dtype})"


def beside(text: str, block: str) -> str:
    """Write a block of lines behind a text, each line below the first."""
    column = len(text.rpartition("\n")[2])
    return text + block.replace("\n", "\n" + " " * column)


def number(x: float, dtype: str) -> str:
    """Write one number in the fewest digits that tell it from all others of `dtype`, or of float64 if it has more."""
    return str(narrowed(np.asarray(x), dtype)[()])


def narrowed(array: Array, dtype: str) -> Array:
    """Return an array in `dtype`, if that has all its numbers, else in float64; a mask stays one."""
    if array.dtype == bool:
        return array
    # NumPy has no bfloat16: every bfloat16 number is a float32 one.
    with np.errstate(all="ignore"):
        narrow = array.astype("float32" if dtype == "bfloat16" else dtype)
    return narrow if np.array_equal(narrow, array, equal_nan=True) else array.astype(np.float64)
