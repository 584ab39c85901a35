"""The place of an array in memory, as its strides and its address tell it: classes of `factors`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

FAR = 2**31


class View(NamedTuple):
    """An array in memory: sizes and strides of its axes, those first that are outermost, in elements."""

    axes: str
    """A letter for each axis: b, h, l and d."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    address: int = 0

    @classmethod
    def of(cls, native: Any, axes: str) -> View:
        """Return where an array of NumPy or of PyTorch lies; where any other one does, no one can tell."""
        shape = tuple(native.shape)
        if hasattr(native, "data_ptr"):
            return cls(axes, shape, tuple(native.stride()), native.data_ptr() // native.element_size())
        if hasattr(native, "__array_interface__"):
            size, (address, _) = native.itemsize, native.__array_interface__["data"]
            return cls(axes, shape, tuple(step // size for step in native.strides), address // size)
        return cls(axes, shape, tuple(_contiguous(shape)))

    @property
    def steps(self) -> dict[str, int]:
        """The stride of each axis along which there is a step to take, the outermost first."""
        named = zip(self.axes, self.shape, self.strides, strict=True)
        return {letter: stride for letter, size, stride in named if size > 1}

    @property
    def order(self) -> str:
        """The axes as they are stored, the nearest last."""
        return "".join(sorted(self.steps, key=lambda letter: -self.steps[letter]))

    @property
    def span(self) -> int:
        """The number of elements from the first to the last."""
        return 1 + sum((size - 1) * abs(stride) for size, stride in zip(self.shape, self.strides, strict=True))

    @property
    def gaps(self) -> str:
        """The axes whose steps are longer than what lies within one, where no element lies twice."""
        found, filled = "", 1
        for letter in reversed(self.order):
            stride = self.steps[letter]
            found += letter if stride > filled else ""
            filled = stride * self.shape[self.axes.index(letter)]
        return found


def _contiguous(shape: Sequence[int]) -> list[int]:
    strides = [1] * len(shape)
    for place in range(len(shape) - 1, 0, -1):
        strides[place - 1] = strides[place] * max(1, shape[place])
    return strides


def _natural(view: View) -> str:
    return "".join(letter for letter in view.axes if letter in view.steps)


def _exchanged(view: View) -> bool:
    order, natural = view.order, _natural(view)
    return {"h", "l"} <= {*order} and order != natural and order.replace("h", "") == natural.replace("h", "")


MEMORY: dict[str, Callable[[View], bool]] = {
    "contiguous": lambda view: view.order == _natural(view) and not view.gaps and min(view.strides) >= 0,
    "heads and rows exchanged": _exchanged,
    "gaps between columns": lambda view: "d" in view.gaps,
    "gaps between rows": lambda view: "l" in view.gaps,
    "gaps between heads": lambda view: "h" in view.gaps,
    "transposed": lambda view: view.order.endswith("dl"),
    "Fortran": lambda view: len(view.order) > 2 and view.order == _natural(view)[::-1],
    "odd address": lambda view: view.address % 2 == 1,
    "stride 0": lambda view: 0 in view.steps.values(),
    "beyond 2³¹": lambda view: view.span > FAR,
}
"""BLHD storage of what is seen as BHLD, and the reverse, has its heads and rows exchanged."""


def packed(views: Sequence[View]) -> list[bool]:
    """Tell of each view whether it lies in one buffer with another: between its elements there are some of both."""
    return [
        any(
            other.address < one.address + one.span and one.address < other.address + other.span
            for other in views
            if other.address != one.address
        )
        for one in views
    ]
