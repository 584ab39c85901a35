"""The tables of a report: implementations by clauses, and the promises that each implementation keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from textwrap import shorten
from typing import TypeVar

from tabulate import tabulate

from attention_tests.declare.precision import Precision
from attention_tests.diagnosis.shown import FAILED
from attention_tests.engine.measurements import ERROR_OVER_BOUND
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from reference.document import CLAUSES

T = TypeVar("T")

WIDTH = 120
WORST_FIRST = list(Verdict)

PROMISES = ["implementation", "dtype", "properties", "error / bound", "promises", "meets", "vacuous"]
"""The columns of what each implementation keeps of its promises."""


def clause_table(rows: Sequence[Row], style: str = "simple") -> str:
    """Return the table of verdicts: a row for each clause, a column for each implementation, counting properties.

    A property counts once, with the worst of its verdicts over the dtypes.
    """
    on_one_line = _clauses(rows, ", ", style)
    fits = max(map(len, on_one_line.splitlines()), default=0) <= WIDTH
    return on_one_line if fits else _clauses(rows, "\n", style)


def _clauses(rows: Sequence[Row], between_counts: str, style: str) -> str:
    names = in_order(row.implementation for row in rows)
    lines = [
        [clause, *(between_counts.join(_counted(worst_of(rows, clause, name))) for name in names)] for clause in CLAUSES
    ]
    return tabulate(lines, headers=["clause", *names], tablefmt=style, disable_numparse=True)


def worst_of(rows: Iterable[Row], clause: str, implementation: str) -> list[Verdict]:
    """Return, for each property of a clause, the worst of its verdicts over the dtypes of an implementation."""
    verdicts: dict[str, list[Verdict]] = {}
    for row in rows:
        if (row.clause, row.implementation) == (clause, implementation):
            verdicts.setdefault(row.law, []).append(row.verdict)
    return [min(of_one_law, key=WORST_FIRST.index) for of_one_law in verdicts.values()]


def broken_laws(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each clause of which a law is broken: how many are, and the names of as many as it has room."""
    for clause in CLAUSES:
        of_clause = [row for row in rows if row.clause == clause]
        broken = in_order(row.law.removeprefix("test_") for row in of_clause if row.verdict in FAILED)
        if broken:
            of_all = len(in_order(row.law for row in of_clause))
            yield shorten(f"{clause}: {len(broken)} of {of_all}: {', '.join(broken)}", WIDTH, placeholder=" …")


def promise_table(rows: Sequence[Row], style: str = "simple") -> str:
    """Return, for each implementation and dtype, counts of verdicts, largest error over bound and precision met."""
    return tabulate(promises(rows), headers=PROMISES, tablefmt=style, disable_numparse=True)


def promises(rows: Sequence[Row]) -> list[list[str]]:
    """Return the lines of the table whose columns are `PROMISES`."""
    lines = []
    for name, dtype in in_order((row.implementation, row.dtype) for row in rows):
        own = [row for row in rows if (row.implementation, row.dtype) == (name, dtype)]
        lines.append(
            [
                name,
                dtype,
                ", ".join(_counted(row.verdict for row in own)),
                largest_error(own),
                own[0].precision,
                strictest(own),
                _vacuous(own),
            ]
        )
    return lines


def findings(rows: Iterable[Row]) -> list[str]:
    """Return what was found out about the document's claims: the first time that each was."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        for name, words in row.measured.items():
            if isinstance(words, str):
                claim = f"{row.clause} ({CLAUSES[row.clause].standing})"
                found.setdefault((row.clause, name), f"{claim}: {name}: {words}  [{row.implementation}, {row.dtype}]")
    return list(found.values())


def strictest(rows: Sequence[Row]) -> str:
    """Return the strictest usual precision that no answer was outside of; "-" where none was measured."""
    measured = {name: number for row in rows for name, number in row.measured.items()}
    tried = [precision.name for precision in Precision.ladder(rows[0].dtype) if f"outside {precision.name}" in measured]
    return next((name for name in tried if measured[f"outside {name}"] == 0), "none" if tried else "-")


def largest_error(rows: Iterable[Row]) -> str:
    """Return the largest error over bound that was accepted; "-" where none was measured."""
    errors = [float(row.measured[ERROR_OVER_BOUND]) for row in rows if ERROR_OVER_BOUND in row.measured]
    return f"{max(errors):.2g}" if errors else "-"


def _vacuous(rows: Sequence[Row]) -> str:
    vacuous, elements = (
        sum(float(row.measured.get(name, 0)) for row in rows) for name in ("vacuous elements", "elements")
    )
    return f"{vacuous / elements:.2%}" if vacuous else "0" if elements else "-"


def _counted(verdicts: Iterable[Verdict]) -> list[str]:
    return [f"{count} {verdict}" for verdict, count in counts(verdicts).items()]


def counts(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    """Count verdicts, the worst first."""
    counted = Counter(verdicts)
    return {verdict: counted[verdict] for verdict in WORST_FIRST if counted[verdict]}


def in_order(things: Iterable[T]) -> list[T]:
    """Return each of the things once, in the order in which they come first."""
    return list(dict.fromkeys(things))
