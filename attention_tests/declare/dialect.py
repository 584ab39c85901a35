"""The dialect: conventions in which correct implementations differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any


class Layout(StrEnum):
    """The order of the axes of a query, a key, a value and the output."""

    BATCH_HEAD_LENGTH_WIDTH = "BHLD"
    BATCH_LENGTH_HEAD_WIDTH = "BLHD"
    LENGTH_WIDTH = "LD"
    HEAD_LENGTH_WIDTH = "HLD"
    """One batch, or batches and heads along one axis."""
    LENGTH_HEAD_WIDTH = "LHD"

    def has(self, axis: str) -> bool:
        """Tell whether there is an axis for batches (B) or heads (H)."""
        return axis in self

    def axes_of(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return batch, heads, length and width of a shape in this order."""
        sizes = dict(zip(self, shape, strict=True))
        return sizes.get("B", 1), sizes.get("H", 1), sizes["L"], sizes["D"]

    def laid_out(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (batch, heads, length, width) in this order."""
        sizes = dict(zip("BHLD", shape, strict=True))
        return tuple(sizes[axis] for axis in self)

    def arranged(self, array: Any) -> Any:
        """Return a view of an array (batch, heads, length, width) in this order; the first, along what has no axis."""
        first = self.of_scores(array)
        return first.swapaxes(-3, -2) if "LH" in self else first

    def restored(self, array: Any) -> Any:
        """Return a view (batch, heads, length, width) of an array in this order."""
        in_order = array.swapaxes(-3, -2) if "LH" in self else array
        return in_order[tuple(slice(None) if self.has(axis) else None for axis in "BH")]

    def of_scores(self, array: Any) -> Any:
        """Return a view of a mask or a bias (batch, heads, n_q, n_k) without the axes that there are none of."""
        return array[tuple(slice(None) if self.has(axis) else 0 for axis in "BH")]

    def of_rows(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return a shape (batch, heads, …) without the axes that there are none of."""
        return *(size for axis, size in zip("BH", shape[:2], strict=True) if self.has(axis)), *shape[2:]


class Alignment(StrEnum):
    """The position of queries among the keys where there are not as many of the one as of the other."""

    TOP_LEFT = "top-left"
    """The first query stands at the first key."""
    BOTTOM_RIGHT = "bottom-right"
    """The last query stands at the last key, as with a cache of earlier tokens."""


class FullyMasked(StrEnum):
    """The output of a query from which every key is hidden: a fully masked row."""

    ZEROS = "zeros"
    NAN = "NaN"
    MEAN = "mean"
    """The mean of all values, seen or not."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The conventions of an implementation, in which correct ones differ."""

    layout: Layout = Layout.BATCH_HEAD_LENGTH_WIDTH
    """BHLD (batch, heads, length, width), BLHD, or LD (length, width) for a function of one head."""
    alignment: Alignment = Alignment.TOP_LEFT
    """The position of queries among the keys, for `causal` and `window`."""
    true_hides: bool = False
    """Whether True in a boolean mask hides a key. Usually it lets the query attend to it."""
    fully_masked: FullyMasked = FullyMasked.ZEROS
    """The output of a query from which every key is hidden: a fully masked row."""
    no_keys: FullyMasked | None = None
    """The output where there are no keys at all; None: that of a fully masked row. Softmax makes NaN of a row that is
    hidden, and a matrix product 0 of a row that is not there."""
    causal_windows: bool = False
    """Whether a window is a decoder's, of the most recent tokens: then it is asked for with `causal=True` only."""
    projected: bool = False
    """Whether query, key and value go through projections that the adapter has made identities. 0 · NaN is NaN, and so
    a component that is NaN makes its whole token NaN, and the output of every query that weighs it. Gradients, too, are
    NaN for a whole token."""

    def unseen_row(self, keys: int) -> FullyMasked:
        """Return the output of a query that sees none of so many keys."""
        return self.fully_masked if keys or self.no_keys is None else self.no_keys

    @cached_property
    def of_hiding(self) -> Dialect:
        """The part that decides about answers, and not about how arrays are given."""
        return Dialect(
            alignment=self.alignment,
            fully_masked=self.fully_masked,
            no_keys=self.no_keys,
            causal_windows=self.causal_windows,
            projected=self.projected,
        )
