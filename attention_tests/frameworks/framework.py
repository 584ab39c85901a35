"""The traits of a library whose arrays a callable takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Function: TypeAlias = Callable[..., Any]

DTYPES = ("float64", "float32", "bfloat16", "float16")
"""The dtypes that are asked for, where a library has them."""


def as_it_is(function: Function) -> Function:
    """Return the function itself."""
    return function


@dataclass(frozen=True, kw_only=True)
class Framework:
    """The arrays of one library, on one device."""

    name: str
    to_native: Callable[[Array, str], Any]
    """Makes an array of the library of a float64 array that is exact in a dtype, or of booleans."""
    to_numpy: Callable[[Any], Array]
    """Reads an array of the library into a float64 array."""
    dtypes: tuple[str, ...] = DTYPES
    immutable: bool = False
    """Whether its arrays can be neither written nor be views of one another."""
    compiled: bool = False
    """Whether each new shape takes its time to compile."""
    called: Callable[[Function], Function] = as_it_is
    """Prepares a function to be called at any of the dtypes."""
    gradient_of: Callable[[Function], Function] | None = None
    """Makes the gradient of a function, which takes an upstream gradient besides; None where the library has none."""
