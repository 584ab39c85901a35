"""Failures in short, as the terminal shows them: the cause, one counterexample, and a line for each clause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attention_tests.diagnosis.shown import Failures
from attention_tests.engine.row import Row
from attention_tests.reports.tables import broken_laws

MORE = (
    "-v prints every failure, what was found out and what was asked; --all-failures shrinks each; --report DIR writes "
    "a page."
)


def sections(failures: Failures, rows: Iterable[Row], *, short: bool) -> Iterator[tuple[str, str]]:
    """Yield the title and the text of each section: the cause alone where all failures are printed anyway."""
    if not failures.shown:
        return
    cause = "\n".join(map(str, failures.diagnoses)) or failures.trouble
    if cause:
        yield "diagnosis", cause
    if short:
        rows = list(rows)
        for shown in failures.shown:
            yield f"{shown.law}[{shown.implementation}-{shown.dtype}]", shown.explanation
            own = [row for row in rows if row.implementation == shown.implementation]
            yield f"broken laws of {shown.implementation}", "\n".join([*broken_laws(own), MORE])
