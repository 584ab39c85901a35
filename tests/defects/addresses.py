"""Arrays read by addresses, as a kernel of another language does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.defects.correct import Array, attention


def attention_by_address(query: Array, key: Array, value: Array) -> Array:
    """Return correct attention of arrays that are read by their own strides and offsets."""
    return attention(read(query), read(key), read(value))


def strides_of(array: Array) -> list[int]:
    """Return the strides in elements."""
    return [stride // array.itemsize for stride in array.strides]


def dense(array: Array) -> list[int]:
    """Return the strides that the array would have if it were contiguous."""
    return [math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim)]


def begins(array: Array) -> int:
    """Return the place of the first element in the buffer."""
    bytes_before = array.ctypes.data - _buffer(array).ctypes.data
    return int(bytes_before // array.itemsize)


def shares_a_buffer(array: Array, other: Array) -> bool:
    """Tell whether two arrays are views of one."""
    return _buffer(array) is _buffer(other)


def read(
    array: Array,
    strides: Sequence[int] | None = None,
    begin: int | None = None,
    offsets: Callable[[Array], Array] = np.asarray,
) -> Array:
    """Read as many elements as the array has: its own, unless other strides, another begin or other offsets are given.

    What lies outside of the buffer is NaN, or True in a mask.
    """
    buffer = _buffer(array).reshape(-1).view(array.dtype)
    steps = zip(array.shape, strides_of(array) if strides is None else strides, strict=True)
    relative = sum(np.ix_(*(np.arange(size) * step for size, step in steps)), start=np.zeros((), int))
    places = offsets(relative) + (begins(array) if begin is None else begin)
    inside = (places >= 0) & (places < buffer.size)
    return np.where(inside, buffer.take(places, mode="clip"), np.array(np.nan).astype(array.dtype))


def in_int32(offsets: Array) -> Array:
    """Return offsets as they come out of a computation in int32."""
    return (offsets + 2**31) % 2**32 - 2**31


def _buffer(array: Array) -> Array:
    """Return the array that an array is, in the end, a view of."""
    found, base = array, array.base
    while base is not None:
        found = base if isinstance(base, np.ndarray) else found
        base = getattr(base, "base", None)
    return found
