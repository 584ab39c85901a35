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

from properties.drawing.circumstances import FACTORS, TRIPLES
from properties.drawing.covering import TABLE, Combination, combinations_of, is_possible

Row = dict[str, str]

SIZES = ("batch", "heads", "queries", "keys", "d_k", "d_v", "numbers")

PLAIN = {
    "batch": "several",
    "keys": "few",
    "d_k": "small",
    "query_memory": "contiguous",
    "key_memory": "contiguous",
    "value_memory": "contiguous",
}
"""The levels that cost little, of factors where others find no more. Several batches find much more than one."""


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
    if not is_possible(row):
        return False
    return True if all(name in row for name in SIZES) else None


def covered(rows: list[Row]) -> Counter[Combination]:
    """Count in how many rows each combination is."""
    return Counter(combination for row in rows for combination in combinations_of(row))


def plainer(rows: list[Row]) -> list[Row]:
    """Replace the levels that no combination needs by plain ones."""
    times = covered(rows)
    for row in rows:
        for name, level in PLAIN.items():
            lost = [one for one in combinations_of(row) if (name, row[name]) in one]
            if row[name] != level and is_possible(row | {name: level}) and all(times[one] > 1 for one in lost):
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
