"""Python source text of values, to the bit."""

from __future__ import annotations

from base64 import b64encode
from math import isfinite
from textwrap import wrap
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np

from attention_tests.text.literals import ELEMENTS_TO_PRINT, array_literal, narrowed

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

FEW = 4
"""As many equal numbers are written one by one."""
COLUMNS = 100


def array_source(array: Array, dtype: str) -> str:
    """Write an array, in `dtype` where that has all its numbers, else in float64: short, if it cannot be read."""
    numbers = narrowed(array, dtype)
    if numbers.size > FEW and (numbers.tobytes() == numbers.flat[0].tobytes() * numbers.size):
        return f"np.full({numbers.shape}, {scalar_source(numbers.flat[0].item())}, dtype=np.{numbers.dtype})"
    return array_literal(array, dtype) if numbers.size <= ELEMENTS_TO_PRINT else _packed(numbers)


def stored_dtype(array: Array, dtype: str) -> str:
    """Return the dtype that `array_source` writes an array in."""
    return str(narrowed(array, dtype).dtype)


def _packed(numbers: Array) -> str:
    # Little-endian on every machine. What astype returns can be written, unlike a buffer.
    stored = numbers.astype(numbers.dtype.newbyteorder("<"))
    lines = "\n    ".join(f'"{line}"' for line in wrap(b64encode(stored.tobytes()).decode(), COLUMNS))
    buffer = f'np.frombuffer(base64.b64decode(\n    {lines}\n), dtype="{stored.dtype.str}")'
    return f"{buffer}.reshape({numbers.shape}).astype(np.{numbers.dtype})"


class Unwritable(TypeError):  # noqa: N818 - what a value is
    """A value of a kind that no source text was foreseen for."""


def scalar_source(x: Any) -> str:
    """Write a number, None or an ellipsis. Raises Unwritable for anything else."""
    if isinstance(x, np.floating):
        return f"np.{x.dtype}({repr(float(x)) if isfinite(x) else repr(str(x))})"
    if isinstance(x, np.bool_ | np.integer):
        return f"np.{x.dtype}({x.item()!r})"
    if isinstance(x, float) and not isfinite(x):
        return f"float({str(x)!r})"
    if isinstance(x, EllipsisType):
        return "..."
    if x is None or isinstance(x, bool | int | float | str):
        return repr(x)
    raise Unwritable(f"{type(x).__name__} has no source text")
