"""The covering table: rows of circumstances in which every two levels meet, and every three of some factors.

`python -m benchmarks.covering` makes it. An implementation that has only some features is asked fewer rows: a level
that it cannot meet is replaced, and a row is left out that adds nothing to the others.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain, combinations, product
from pathlib import Path
from typing import TypeAlias

from attention_tests import Feature
from properties.drawing.circumstances import DECIDING, FACTORS, TRIPLES, fitted, is_possible

TABLE = Path(__file__).with_suffix(".csv")

Combination: TypeAlias = frozenset[tuple[str, str]]
"""Levels that meet, each with the name of its factor."""

LEAST = {name: next(iter(levels)) for name, levels in FACTORS.items()} | {"d_k": "small", "numbers": "gather"}
"""The levels that cost least."""
_OTHERS = [
    dict(zip(("heads", "queries", "keys", "d_v"), levels, strict=True))
    for levels in product(("one", "several"), ("one", "few"), ("one", "few"), ("equal", "narrower"))
]
"""Levels that cost little, of which one is enough wherever a row is possible."""


@cache
def table() -> tuple[Mapping[str, str], ...]:
    """Return the rows of levels."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def rows_for(features: frozenset[Feature]) -> tuple[Mapping[str, str], ...]:
    """Return the rows of levels for an implementation with `features`, those first that add most."""
    return _rows_for(features & DECIDING)


@cache
def _rows_for(features: frozenset[Feature]) -> tuple[Mapping[str, str], ...]:
    seen: set[Combination] = set()
    rows = []
    for row in chain((fitted(row, features) for row in table()), _completing(seen, features)):
        added = combinations_of(row) - seen
        if added and is_possible(row):
            seen |= added
            rows.append(row)
    return tuple(rows)


def _completing(seen: set[Combination], features: frozenset[Feature]) -> Iterator[Mapping[str, str]]:
    """Yield rows of what is possible and not in `seen`: the rows of the table where nothing is left out have it all."""
    if features < DECIDING:
        for combination in _of_available_levels(features):
            row = None if combination in seen else _completed(combination, features)
            if row is not None:
                yield row


def possible_combinations(features: frozenset[Feature]) -> Iterator[Combination]:
    """Yield what can meet in a row for an implementation with `features`."""
    features &= DECIDING
    return (one for one in _of_available_levels(features) if _completed(one, features) is not None)


def _of_available_levels(features: frozenset[Feature]) -> Iterator[Combination]:
    levels = {
        name: [level for level in FACTORS[name] if _completed(frozenset({(name, level)}), features)] for name in FACTORS
    }
    for names in (*combinations(FACTORS, 2), *TRIPLES):
        for met in product(*(levels[name] for name in names)):
            yield frozenset(zip(names, met, strict=True))


def combinations_of(row: Mapping[str, str]) -> set[Combination]:
    """Return what meets in a row: every two levels, and the triples."""
    names = [*combinations(FACTORS, 2), *TRIPLES]
    return {frozenset((name, row[name]) for name in meeting) for meeting in names}


def can_be_completed(levels: Mapping[str, str]) -> bool:
    """Tell whether some row with these levels is possible."""
    return _completed(frozenset(levels.items()), DECIDING) is not None


@cache
def _completed(levels: Combination, features: frozenset[Feature]) -> Mapping[str, str] | None:
    rows = (fitted(LEAST | others | dict(levels), features) for others in _OTHERS)
    return next((row for row in rows if levels <= row.items() and is_possible(row)), None)
