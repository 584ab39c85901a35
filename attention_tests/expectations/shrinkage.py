"""Silent shrinkage: a run that decides fewer properties than are expected passes no gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import Decided

UNDECIDED = (Verdict.UNSUPPORTED, Verdict.NOT_RUN)


def decided(rows: Iterable[Row]) -> Counter[tuple[str, str, str]]:
    """Count the properties that got a verdict, by implementation, dtype and clause."""
    return Counter((row.implementation, row.dtype, row.clause) for row in rows if row.verdict not in UNDECIDED)


def shrunk(
    expected: Iterable[Decided], rows: Iterable[Row], names: Collection[str], dtypes: Collection[str] = ()
) -> Iterator[str]:
    """Say of which implementations fewer properties were decided than expected.

    Those of `names` are judged, at all dtypes or those of `dtypes`.
    """
    counts = decided(rows)
    for one in expected:
        for dtype in one.dtypes:
            if one.implementation not in names or (dtypes and dtype not in dtypes):
                continue
            who = f"{one.implementation} ({dtype})"
            found = {clause: counts[one.implementation, dtype, clause] for clause in one.properties}
            if not any(found.values()):
                yield f"{who}: nothing was decided, where {sum(one.properties.values())} properties are expected"
                continue
            fewer = [f"{found[clause]} of {n} of {clause}" for clause, n in one.properties.items() if found[clause] < n]
            if fewer:
                yield f"{who}: {', '.join(fewer)}"
