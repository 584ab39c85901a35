"""Placements of the numbers of an array in memory: strides, gaps and offsets that change no number of it.

A function here makes a native array with `make`, whose arrays are contiguous, and returns a view of it. It returns None
where the library of the array cannot hold such a view. What lies beside the numbers is NaN, or True in a mask. The
source of these functions is copied into reproducers.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.dialect import Layout

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Make = Callable[[Array], Any]
"""Makes a native array of NumPy's, contiguous and of its own."""


class Placement(StrEnum):
    """A way in which an array lies in memory; its words follow the name of the array."""

    COLUMN_GAPS = "spread by gaps between its columns"
    ROW_GAPS = "spread by gaps between its rows"
    HEAD_GAPS = "spread by gaps between its heads"
    BLHD_STORAGE = "in BLHD storage"
    BHLD_STORAGE = "in BHLD storage"
    TRANSPOSED = "stored transposed"
    FORTRAN = "in Fortran order"
    BACKWARDS = "stored backwards"
    ODD_OFFSET = "at an odd offset"
    REPEATED = "stored once where it repeats"
    FAR = "at offsets beyond 2³¹ elements"


class Packing(StrEnum):
    """A way in which several arrays are slices of one buffer, stored as (batch, length, heads, width)."""

    COLUMNS = "packed into one buffer along their width"
    HEADS = "packed into one buffer along their heads"


NEAR = tuple(placement for placement in Placement if placement is not Placement.FAR)
"""The placements that take no virtual memory."""
ORDERS = {Placement.BLHD_STORAGE: "blhd", Placement.BHLD_STORAGE: "bhld", Placement.TRANSPOSED: "bhdl"}
"""The letters of the axes as they are stored, the nearest last."""
GAPS = {Placement.COLUMN_GAPS: "d", Placement.ROW_GAPS: "l", Placement.HEAD_GAPS: "h"}
"""The letter of the axis with gaps."""


def place(make: Make, array: Array, placement: Placement, layout: Layout) -> Any | None:
    """Return a native array of the numbers of `array`, whose axes are those of `layout`; None where there is none.

    There is none where the library cannot hold it, and where the layout or the shape leaves no such placement.
    """
    placing = placing_of(placement, layout)
    return None if placing is None else placing(make, array)


def placing_of(placement: Placement, layout: Layout) -> partial[Any] | None:
    """Return the function (make, array) for a placement; None where it is no other than contiguous."""
    axes = layout.lower()
    if placement in GAPS:
        return partial(with_gaps, axis=axes.index(GAPS[placement])) if GAPS[placement] in axes else None
    if placement in ORDERS:
        order = [axes.index(letter) for letter in ORDERS[placement] if letter in axes]
        return partial(stored, order=order) if order != sorted(order) else None
    if placement is Placement.FORTRAN:
        # Of two axes it is the same as transposed.
        return partial(stored, order=list(range(len(axes)))[::-1]) if "h" in axes else None
    return partial(FUNCTIONS[placement])


def packing_of(packing: Packing, layout: Layout) -> partial[Any] | None:
    """Return the function (make, arrays) for a packing; None where the layout has no heads to pack along."""
    axes, letter = layout.lower(), {Packing.COLUMNS: "d", Packing.HEADS: "h"}[packing]
    if letter not in axes:
        return None
    return partial(packed, axis=axes.index(letter), order=[axes.index(one) for one in "blhd" if one in axes])


def with_gaps(make: Make, array: Array, axis: int) -> Any:
    """Leave a gap as large as an element of `axis` behind each."""
    beside = np.full_like(array, np.nan)
    spread = np.stack([array, beside], axis=axis + 1)
    made = make(spread.reshape(*array.shape[:axis], -1, *array.shape[axis + 1 :]))
    return made[(slice(None),) * axis + (slice(None, None, 2), ...)]


def stored(make: Make, array: Array, order: Sequence[int]) -> Any:
    """Store the axes in another order, the nearest last."""
    return put_back(make(array.transpose(order)), order)


def put_back(made: Any, order: Sequence[int]) -> Any:
    """Return a view of a native array whose axes, now in `order`, are in their own again."""
    back = tuple(map(int, np.argsort(order)))
    if hasattr(made, "permute"):
        return made.permute(back)
    return made.transpose(back) if hasattr(made, "transpose") else made.__array_namespace__().permute_dims(made, back)


def backwards(make: Make, array: Array) -> Any | None:
    """Store every axis in reverse: of all libraries, NumPy has negative strides."""
    made = make(np.flip(array))
    return np.flip(made) if isinstance(made, np.ndarray) else None


def at_an_odd_offset(make: Make, array: Array) -> Any:
    """Begin with the second element of a buffer, where no vector of several elements is aligned."""
    made = make(np.pad(array.ravel(), 1, constant_values=np.nan))[1:-1]
    if hasattr(made, "reshape"):
        return made.reshape(array.shape)
    return made.__array_namespace__().reshape(made, array.shape)


def repeated(make: Make, array: Array) -> Any | None:
    """Store what is the same all along an axis once."""
    alike = [size > 1 and (array == array.take([0], axis)).all() for axis, size in enumerate(array.shape)]
    if not any(alike):
        return None
    made = make(array[tuple(slice(1 if one else None) for one in alike)])
    if isinstance(made, np.ndarray):
        return np.broadcast_to(made, array.shape)
    # As PyTorch has it, or as the Array API standard has it.
    return (
        made.expand(array.shape)
        if hasattr(made, "expand")
        else made.__array_namespace__().broadcast_to(made, array.shape)
    )


def far(make: Make, array: Array) -> Any | None:
    """Spread an array over virtual memory: a step along any axis but the last is one of more than 2³¹ elements.

    What 32 bits make of an offset is the place of zeros. Only pages that hold numbers take real memory, and a shared
    mapping counts for no limit of a process on its data.
    """
    made, half, shared = make(array), 2**31, getattr(mmap, "MAP_SHARED", None)
    from_numpy = (
        np.asarray
        if isinstance(made, np.ndarray)
        else getattr(sys.modules[type(made).__module__.partition(".")[0]], "from_numpy", None)
    )
    # Steps leave room for 16 along each axis, and for rows of 4,096 numbers.
    if from_numpy is None or shared is None or max(array.shape[:-1]) > 16 or array.shape[-1] > 4096:
        return None
    steps = [half + 2 ** (12 + 4 * axis) for axis in range(array.ndim - 1)] + [1]
    elements = half + 1 + sum((size - 1) * step for size, step in zip(array.shape, steps, strict=True))
    size = made.dtype.itemsize
    memory = mmap.mmap(-1, elements * size, shared | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000))
    buffer = from_numpy(np.frombuffer(memory, f"i{size}")).view(made.dtype)
    if isinstance(made, np.ndarray):
        view = np.lib.stride_tricks.as_strided(buffer[half:], array.shape, [step * size for step in steps])
    elif buffer.device == made.device:
        view = buffer.as_strided(array.shape, steps, half)
    else:
        return None
    view[...] = made
    return view


def packed(make: Make, arrays: Sequence[Array], axis: int, order: Sequence[int]) -> list[Any]:
    """Store arrays behind one another along `axis`, with the axes in `order`, the nearest last, as slices of one."""
    whole = put_back(make(np.concatenate(arrays, axis).transpose(order)), order)
    ends = np.cumsum([array.shape[axis] for array in arrays]).tolist()
    parts = [slice(end - array.shape[axis], end) for end, array in zip(ends, arrays, strict=True)]
    return [whole[(slice(None),) * axis + (part, ...)] for part in parts]


FUNCTIONS: dict[Placement, Callable[[Make, Array], Any]] = {
    Placement.BACKWARDS: backwards,
    Placement.ODD_OFFSET: at_an_odd_offset,
    Placement.REPEATED: repeated,
    Placement.FAR: far,
}
"""The functions that need no axis."""
