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


class Alignment(StrEnum):
    """Which word is a query's own where there are not as many queries as keys."""

    TOP_LEFT = "top-left"
    """The first query is the first word."""
    BOTTOM_RIGHT = "bottom-right"
    """The last query is the last word, as with a cache of earlier words."""


class FullyMasked(StrEnum):
    """What a query gets that sees no word."""

    ZEROS = "zeros"
    NAN = "NaN"
    MEAN = "mean"
    """The mean of all values, seen or not."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Where correct implementations differ by convention."""

    layout: Layout = Layout.BATCH_HEAD_LENGTH_WIDTH
    """BHLD (batch, heads, length, width), BLHD, or LD (length, width) for a function of one head."""
    alignment: Alignment = Alignment.TOP_LEFT
    """Which word is a query's own, for `causal` and `window`."""
    true_hides: bool = False
    """Whether True in a boolean mask hides a word. Usually it means that the word is seen."""
    fully_masked: FullyMasked = FullyMasked.ZEROS
    """What a query gets that sees no word."""
    causal_windows: bool = False
    """Whether a window is a decoder's, that of the last words: then it is asked for with `causal=True` only."""
    projected: bool = False
    """Whether query, key and value go through projections that the adapter has made identities. 0 · NaN is NaN, and so
    a component that is no number makes its whole word, and the output of every query that weighs it, no numbers."""

    @cached_property
    def of_hiding(self) -> Dialect:
        """What of it decides about answers, and not about how arrays are given."""
        return Dialect(alignment=self.alignment, fully_masked=self.fully_masked, causal_windows=self.causal_windows)
