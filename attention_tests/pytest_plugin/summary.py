"""The summary at the end of a run: tables of the rows of all processes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from attention_tests.diagnosis.shown import Failures, in_short
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.drawing import caveat
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.pytest_plugin.explanations import print_explanations
from attention_tests.pytest_plugin.in_short import sections
from attention_tests.pytest_plugin.run import Run
from attention_tests.reports.asked import asked_table
from attention_tests.reports.tables import clause_table, findings, promise_table

ROW = "attention_tests_row"
"""The attribute of a pytest report that is a row, in the plain types that pytest-xdist can send."""


def row_of(report: pytest.TestReport) -> Row | None:
    """Return what a report of pytest says about a property; None where it is about something else."""
    record = getattr(report, ROW, None)
    return None if record is None else msgspec.convert(record, Row)


ONLY_IN_FULL = ("found out", "asked", "verdicts: properties of each clause", "promises", "the document's claims")
"""The sections that are left out where failures are told in short; all reports have them."""


def _leave_out_failures(config: pytest.Config) -> None:
    """Let pytest print none of the failures itself, nor a line for each."""
    config.option.tbstyle = "no"
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(terminal, pytest.TerminalReporter):
        terminal.reportchars = "".join(char for char in terminal.reportchars if char not in "fFE")


class Summary:
    """Gathers the rows, and prints the tables."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.failures = Failures()

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
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            # What explores draws more than a cause needs, and its budget is spent.
            profile = self.run.profile if self.run.exploration is None else DEFAULT
            self.failures = in_short(self.rows.values(), self.run.subjects, profile)
            self.rows |= {row.key: row for row in self.failures.shown}
        if self._is_short(session.config):
            _leave_out_failures(session.config)
        if session.config.getini("strict") and self.run.undeclared and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # The rows are complete only once every other plugin has added what it knows.
    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print what was found out about the claims, what was asked and what was not, and the tables of verdicts."""
        rows = [] if config.getoption("collectonly") else self.with_those_not_run()
        short = self._is_short(config)
        if not short:
            print_explanations(terminalreporter, self.rows.values())
        for title, text in sections(self.failures, self.rows.values(), short=short):
            terminalreporter.section(title)
            terminalreporter.write_line(text)
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
            if text and (rows or self.run.missing) and not (short and title in ONLY_IN_FULL):
                terminalreporter.section(title)
                terminalreporter.write_line(text)

    def _is_short(self, config: pytest.Config) -> bool:
        """Tell whether failures are told in short: unless all were asked for, or more was."""
        return bool(self.failures.shown) and not config.getoption("all_failures") and config.option.verbose <= 0

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
