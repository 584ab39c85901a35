"""Attention in C, called by ctypes: `right`, and `wrong`, which is compiled without one line."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from numpy.ctypeslib import ndpointer

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

SOURCE = Path(__file__).with_name("attention.c")
ARRAY = ndpointer(np.float32, ndim=4, flags="C_CONTIGUOUS")


class Sizes(ctypes.Structure):
    """The `struct sizes` of the C source."""

    _fields_ = [(name, ctypes.c_ssize_t) for name in ("heads", "group", "queries", "keys", "width", "value_width")]


def compiled(*options: str) -> Any:
    """Compile the C source and return its function, which refuses arrays that are not of float32."""
    with TemporaryDirectory() as folder:
        library = Path(folder, "attention.so")
        command = ["cc", "-O2", "-shared", "-fPIC", *options, "-o", str(library), str(SOURCE), "-lm"]
        subprocess.run(command, check=True)  # noqa: S603 - our own command
        function = ctypes.CDLL(str(library)).attention
    function.argtypes = [ARRAY, ARRAY, ARRAY, ARRAY, ctypes.POINTER(Sizes), ctypes.c_float, ctypes.c_int]
    function.restype = None
    return function


RIGHT, WRONG = compiled(), compiled("-DSUM_NOT_RESCALED")


def right(query: Array, key: Array, value: Array, *, scale: float | None = None, is_causal: bool = False) -> Array:
    """Return softmax(scale · Q Kᵀ) V, of shape (batch, heads, queries, width of the values)."""
    return called(RIGHT, query, key, value, scale, causal=is_causal)


def wrong(query: Array, key: Array, value: Array, *, scale: float | None = None, is_causal: bool = False) -> Array:
    """Return the same, of the function that does not rescale the running sum."""
    return called(WRONG, query, key, value, scale, causal=is_causal)


def called(  # noqa: PLR0913 - what C takes
    function: Any, query: Array, key: Array, value: Array, scale: float | None, *, causal: bool
) -> Array:
    """Call a function of C. Raises ValueError for shapes that do not belong together, or where there is no key."""
    batch, heads, queries, width = query.shape
    _, key_heads, keys, value_width = value.shape
    if 0 in {*query.shape, *key.shape, *value.shape}:
        raise ValueError("an array without numbers is not taken")
    if key.shape != (batch, key_heads, keys, width) or len(value) != batch or heads % key_heads:
        raise ValueError(f"query {query.shape}, key {key.shape} and value {value.shape} do not go together")
    sizes = Sizes(batch * key_heads, heads // key_heads, queries, keys, width, value_width)
    output = np.empty((batch, heads, queries, value_width), np.float32)
    query, key, value = map(np.ascontiguousarray, (query, key, value))
    function(query, key, value, output, sizes, 1 / np.sqrt(width) if scale is None else scale, causal)
    return output
