"""The dialect: conventions in which correct implementations differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Layout(StrEnum):
    """The order of the axes of a query, a key, a value and the output."""

    BATCH_HEAD_LENGTH_WIDTH = "BHLD"
    BATCH_LENGTH_HEAD_WIDTH = "BLHD"
    LENGTH_WIDTH = "LD"

    def axes_of(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Return batch, heads, length and width of a shape in this order."""
        if self is Layout.LENGTH_WIDTH:
            return 1, 1, shape[0], shape[1]
        batch, one, other, width = shape
        return (batch, other, one, width) if self is Layout.BATCH_LENGTH_HEAD_WIDTH else (batch, one, other, width)

    def laid_out(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (batch, heads, length, width) in this order."""
        batch, heads, length, width = shape
        if self is Layout.LENGTH_WIDTH:
            return length, width
        return (batch, length, heads, width) if self is Layout.BATCH_LENGTH_HEAD_WIDTH else shape


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
