"""Make the covering table: rows of levels in which every two levels meet, and every three of some factors.

    python -m benchmarks.covering

The rows come from a covering array (covertable). Then each level that no pair or triple needs in its row is replaced
by a plain one, and the rows are put in the order in which each adds most to those before it, so that the
first of them are the best few.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Mapping

from covertable import make

from properties.drawing.circumstances import FACTORS, TRIPLES, cost, is_possible
from properties.drawing.covering import TABLE, Combination, can_be_completed, combinations_of

Row = dict[str, str]

SIZES = tuple(name for name in FACTORS if name != "options")
"""The factors that decide whether a row is possible."""

PLAIN = {
    "batch": "several",
    "keys": "few",
    "d_k": "small",
    "query_memory": "contiguous",
    "key_memory": "contiguous",
    "value_memory": "contiguous",
}
"""The levels that cost little, of factors where others find no more. Several batches find much more than one."""
CHEAP = PLAIN | {"batch": "one", "heads": "one", "queries": "one", "d_v": "narrower", "numbers": "gather"}
"""The levels that cost least, for rows that cost much."""


def main() -> int:
    """Write the table, and say how many rows it has."""
    rows = in_order([dict(row) for row in plainer(covering_array())])
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(FACTORS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    sys.stdout.write(f"{len(rows)} rows for {len(covered(rows))} combinations\n")
    return 0


def covering_array() -> list[Row]:
    """Return rows in which every possible combination is."""
    rows: list[Row] = make(
        {name: list(levels) for name, levels in FACTORS.items()},
        strength=2,
        sub_models=[{"fields": list(names), "strength": 3} for names in TRIPLES],
        # Asked of a row with any of its sizes, so that one that cannot be completed is not begun.
        constraints=[{"operator": "fn", "requires": [name], "evaluate": fits} for name in SIZES],
    )
    return rows


def fits(row: Mapping[str, str]) -> bool | None:
    """Tell whether a row takes milliseconds; None where that is not yet decided."""
    if not can_be_completed(row):
        return False
    return True if all(name in row for name in SIZES) else None


def covered(rows: list[Row]) -> Counter[Combination]:
    """Count in how many rows each combination is."""
    return Counter(combination for row in rows for combination in combinations_of(row))


def plainer(rows: list[Row]) -> list[Row]:
    """Replace the levels that no combination needs by plain ones, and in rows that cost much by cheap ones."""
    times = covered(rows)
    for row in sorted(rows, key=lambda row: cost(row).share, reverse=True):
        for name, level in (PLAIN if cost(row).is_cheap else CHEAP).items():
            other = row | {name: level}
            lost = [one for one in combinations_of(row) if (name, row[name]) in one]
            if row[name] != level and is_possible(other) and all(times[one] > 1 for one in lost):
                times.subtract(combinations_of(row))
                row[name] = level
                times.update(combinations_of(row))
    return rows


def in_order(rows: list[Row]) -> list[Row]:
    """Order the rows so that each adds as many combinations as it can, and leave out those that add none."""
    left, seen, ordered = list(rows), set[Combination](), []
    while left:
        best = max(left, key=lambda row: len(combinations_of(row) - seen))
        if not combinations_of(best) - seen:
            break
        left.remove(best)
        ordered.append(best)
        seen |= combinations_of(best)
    return ordered


if __name__ == "__main__":
    sys.exit(main())
