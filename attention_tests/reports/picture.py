"""Errors over their bounds as a picture: for each dtype a strip per implementation, with a mark for each law."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from attention_tests.engine.measurements import ERROR_OUTSIDE, ERROR_OVER_BOUND
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.tables import in_order

WIDTH = 1000
"""Of a strip, in units of its own: it is stretched over the page."""

LOWEST = -4
"""The power of ten at the left end, for what is less, too."""


@dataclass(frozen=True)
class Mark:
    """One property: the largest error over bound that it saw."""

    law: str
    ratio: float
    broke: bool


@dataclass(frozen=True)
class Strip:
    """The errors over bound of one implementation at one dtype."""

    implementation: str
    marks: Sequence[Mark]

    @property
    def largest(self) -> Mark:
        """The mark that is farthest to the right."""
        return max(self.marks, key=lambda mark: mark.ratio)

    @property
    def words(self) -> str:
        """The picture in a sentence."""
        accepted = [mark.ratio for mark in self.marks if not mark.broke]
        half = f", and half of them stay below {number(median(accepted))} of it" if accepted else ""
        outside = len(self.marks) - len(accepted)
        return (
            f"{len(accepted)} properties found every answer inside its bound{half}; {outside} found one outside. "
            f"The largest error is {number(self.largest.ratio)} times its bound, seen by {self.largest.law}."
        )


@dataclass(frozen=True)
class Picture:
    """The strips of one dtype, over one logarithmic axis."""

    dtype: str
    strips: Sequence[Strip]
    highest: int
    """The power of ten at the right end, the same for every dtype."""

    def place(self, ratio: float) -> float:
        """Return where on a strip an error over bound is marked; what is off the axis, at its end."""
        power = LOWEST if ratio == 0 else self.highest if math.isinf(ratio) else math.log10(ratio)
        return round(WIDTH * (min(max(power, LOWEST), self.highest) - LOWEST) / (self.highest - LOWEST), 1)


def pictures(rows: Iterable[Row]) -> list[Picture]:
    """Return a picture for each dtype at which an error was measured against a bound."""
    marked = [(row, mark) for row in rows if (mark := _mark(row))]
    finite = [mark.ratio for _, mark in marked if math.isfinite(mark.ratio)]
    highest = math.ceil(math.log10(max([10.0, *finite])))
    found = []
    for dtype in in_order(row.dtype for row, _ in marked):
        own = [(row.implementation, mark) for row, mark in marked if row.dtype == dtype]
        strips = [Strip(name, [mark for one, mark in own if one == name]) for name in in_order(name for name, _ in own)]
        found.append(Picture(dtype, strips, highest))
    return found


def error_over_bound(row: Row) -> float | None:
    """Return the largest error over bound that a property saw: of what it refused, where it refused anything."""
    broke = row.verdict is Verdict.FAIL and ERROR_OUTSIDE in row.measured
    ratio = row.measured.get(ERROR_OUTSIDE if broke else ERROR_OVER_BOUND)
    return None if ratio is None else float(ratio)


def number(ratio: float) -> str:
    """Write an error over bound in as few digits as tell."""
    return "∞" if math.isinf(ratio) else f"{ratio:.2g}"


def _mark(row: Row) -> Mark | None:
    ratio = error_over_bound(row)
    return None if ratio is None else Mark(row.law, ratio, broke=ratio > 1)
