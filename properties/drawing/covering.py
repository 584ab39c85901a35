"""The covering table: rows of circumstances in which every two levels meet, and every three of some factors.

`python -m benchmarks.covering` makes it. An implementation that has only some features is asked fewer rows: a level
that it cannot meet is replaced, and a row is left out that adds nothing to the others.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

from attention_tests import Feature
from properties.drawing.circumstances import FACTORS, TRIPLES, cost, fitted

TABLE = Path(__file__).with_suffix(".csv")

Combination: TypeAlias = frozenset[tuple[str, str]]
"""Levels that meet, each with the name of its factor."""

LEAST = {name: next(iter(levels)) for name, levels in FACTORS.items()} | {"d_k": "small", "numbers": "gather"}
"""The levels that cost least."""


@cache
def table() -> tuple[Mapping[str, str], ...]:
    """Return the rows of levels."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def rows_for(features: frozenset[Feature]) -> tuple[Mapping[str, str], ...]:
    """Return the rows of levels for an implementation with `features`, those first that add most."""
    seen: set[Combination] = set()
    rows = []
    for row in table():
        left = fitted(row, features)
        added = combinations_of(left) - seen
        if added and cost(left).fits:
            seen |= added
            rows.append(left)
    return tuple(rows)


def combinations_of(row: Mapping[str, str]) -> set[Combination]:
    """Return what meets in a row: every two levels, and the triples."""
    names = [*combinations(FACTORS, 2), *TRIPLES]
    return {frozenset((name, row[name]) for name in meeting) for meeting in names}


def is_possible(levels: Mapping[str, str]) -> bool:
    """Tell whether some row with these levels takes no more than milliseconds."""
    return cost(LEAST | dict(levels)).fits
