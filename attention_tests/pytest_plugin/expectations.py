"""The part of the pytest plugin that judges a run by what was expected of it, or writes down what is to be expected."""

from __future__ import annotations

import pytest

from attention_tests.engine.row import Row
from attention_tests.environment import suite
from attention_tests.expectations.book import Book
from attention_tests.expectations.entries import TO_BE_WRITTEN, BadExpectations
from attention_tests.expectations.shrinkage import decided, shrunk
from attention_tests.expectations.updating import Ran, updated
from attention_tests.expectations.writing import write_file
from attention_tests.pytest_plugin.run import RUN, Run
from attention_tests.pytest_plugin.summary import Summary
from attention_tests.targets.registry import REGISTRY

SELECTING = ("keyword", "markexpr", "deselect", "lf", "stepwise", "ignore", "ignore_glob")
"""Options of pytest that leave properties out."""


# Last, for the run must be there.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read what is expected, and refuse what can never be."""
    run, updating = config.stash[RUN], config.getoption("update_expectations")
    try:
        book = Book.open(config.getoption("expectations"), updating=updating)
        verified = {subject.implementation.name: subject.implementation for subject in run.subjects}
        run.expectations = book.sound(verified.values(), updating=updating)
    except BadExpectations as error:
        raise pytest.UsageError(str(error)) from None
    # A worker of pytest-xdist knows only some of what became of the run.
    if not hasattr(config, "workerinput"):
        summary = config.pluginmanager.get_plugin("attention-tests-summary")
        assert isinstance(summary, Summary)
        config.pluginmanager.register(Gate(book, run, summary), "attention-tests-gate")


class Gate:
    """Judges the rows of a run once all are there."""

    def __init__(self, book: Book, run: Run, summary: Summary) -> None:
        self.book, self.run, self.summary = book, run, summary
        self.shrunk: list[str] = []
        self.told: list[str] = []

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge, or update; a run that is not what was expected ends with 1, one that decided nothing with 4."""
        config = session.config
        if config.getoption("collectonly") or exitstatus not in ENDED:
            return
        rows = self.summary.with_those_not_run()
        # What explores ends with its budget, wherever it is by then.
        whole = is_whole(session) and self.run.exploration is None
        if exitstatus in PASSED and (rows or config.getoption("target")) and not decided(rows):
            self.told.append("nothing was verified: no property was selected that any implementation supports")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif rows and config.getoption("update_expectations"):
            self._update(rows, whole=whole)
        elif rows and whole:
            names = {row.implementation for row in rows}
            judged = names if config.getoption("target") else names | {*REGISTRY.implementations.gate()}
            expected = (*self.book.written.decided, *self.book.besides.decided)
            self.shrunk += shrunk(expected, rows, judged, config.getoption("dtype") or ())
            if self.shrunk and exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # Last, for this is what is to be done.
    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found, and what was written."""
        if self.shrunk:
            terminalreporter.section("fewer properties decided than expected")
            for sentence in [*self.shrunk, "If that is as it should be, --update-expectations writes it down."]:
                terminalreporter.write_line(sentence)
        if self.told:
            terminalreporter.section("expectations")
            for sentence in self.told:
                terminalreporter.write_line(sentence)

    def _update(self, rows: list[Row], *, whole: bool) -> None:
        declared = {one.implementation.name: one.implementation.dtypes for one in self.run.subjects}
        new = updated(self.book.written, self.book.besides, Ran(rows, declared), whole=whole)
        write_file(self.book.file, new)
        self.told.append(f"{self.book.file} is written: {len(new.known_failures)} known failures")
        unexplained = sum(one.reason == TO_BE_WRITTEN for one in new.known_failures)
        if unexplained:
            self.told.append(f"{unexplained} of them have no reason: write one for each, or mend what fails")


ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def is_whole(session: pytest.Session) -> bool:
    """Tell whether the run was asked for every property, and was not stopped."""
    config = session.config
    properties = suite.FOLDER / "properties"
    given = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    stopped = session.shouldstop or session.shouldfail or (config.getoption("maxfail") and session.testsfailed)
    return not (
        stopped
        or any(config.getoption(option, None) for option in SELECTING)
        or not any(folder in (properties, *properties.parents) for folder in given)
    )
