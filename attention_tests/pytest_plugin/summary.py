"""The summary at the end of a run: tables of the rows of all processes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.drawing import caveat
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.pytest_plugin.explanations import print_explanations
from attention_tests.pytest_plugin.run import Run
from attention_tests.reports.asked import asked_table
from attention_tests.reports.tables import clause_table, findings, promise_table

ROW = "attention_tests_row"
"""The attribute of a pytest report that is a row, in the plain types that pytest-xdist can send."""


def row_of(report: pytest.TestReport) -> Row | None:
    """Return what a report of pytest says about a property; None where it is about something else."""
    record = getattr(report, ROW, None)
    return None if record is None else msgspec.convert(record, Row)


class Summary:
    """Gathers the rows, and prints the tables."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: dict[tuple[str, str, str], Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what became of one property."""
        row = row_of(report)
        if row is not None:
            self.rows[row.key] = row

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Bring in what was verified where only the workers of pytest-xdist have collected anything.

        With pytest's own option --strict, what is answered wrongly and not declared fails the run.
        """
        option = session.config.getoption
        if self.rows and not self.run.subjects:
            self.run.load_targets(option("target") or (), option("dtype") or ())
        if session.config.getini("strict") and self.run.undeclared and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # The rows are complete only once every other plugin has added what it knows.
    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print what was found out about the claims, what was asked and what was not, and the tables of verdicts."""
        print_explanations(terminalreporter, self.rows.values())
        rows = [] if config.getoption("collectonly") else self.with_those_not_run()
        for title, text in (
            ("found out", "\n".join(self._found_out())),
            ("not declared", "\n".join(self.run.undeclared)),
            ("not run", "\n".join(self.run.missing)),
            ("asked", asked_table(rows)),
            ("verdicts: properties of each clause", clause_table(rows)),
            ("promises", promise_table(rows)),
            ("the document's claims", "\n".join(findings(rows))),
            ("problems", caveat()),
        ):
            if text and (rows or self.run.missing):
                terminalreporter.section(title)
                terminalreporter.write_line(text)

    def _found_out(self) -> Iterator[str]:
        for name, lines in self.run.found_out.items():
            yield name
            yield from (f"  {line}" for line in lines)

    def with_those_not_run(self) -> list[Row]:
        """Return a row for each property that was there to run, also if it did not: deselected, or not reached."""
        return [
            self.rows.get((law.name, subject.implementation.name, subject.dtype))
            or Row.of(law, subject, Outcome(Verdict.NOT_RUN))
            for subject in self.run.subjects
            for law in all_laws()
        ]
