"""The hooks of expectations: a run is judged by what was expected of it, or that is written down anew."""

from __future__ import annotations

import pytest

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.row import Row
from attention_tests.environment import suite
from attention_tests.expectations.book import Book
from attention_tests.expectations.entries import TO_BE_WRITTEN, BadExpectations, Declaration
from attention_tests.expectations.floor import UNDECIDED, below_floor
from attention_tests.expectations.updating import updated
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
        run.expectations = book.sound(run.implementations.values(), updating=updating)
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
        self.below: list[str] = []
        self.told: list[str] = []

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge, or update; a run that is not what was expected ends with 1, one that decided nothing with 4."""
        config = session.config
        if config.getoption("collectonly") or exitstatus not in ENDED:
            return
        rows = self.summary.with_those_not_run()
        decided = any(row.verdict not in UNDECIDED for row in rows)
        if exitstatus in PASSED and (rows or config.getoption("target")) and not decided:
            self.told.append("nothing was verified: no property was selected that any implementation supports")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif rows and config.getoption("update_expectations"):
            self._update(rows)
        # What explores ends with its budget, wherever it is by then.
        elif rows and is_whole(session) and self.run.exploration is None:
            now, gated = self.run.implementations, not config.getoption("target") and self.run.device == "cpu"
            judged = {*now, *(REGISTRY.implementations.gate() if gated else ())}
            declared = {name: one for name, one in self.run.expectations.declared.items() if name in judged}
            self.below += below_floor(declared, all_laws(), rows, now, config.getoption("dtype") or ())
            if self.below and exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # Last, for this is what is to be done.
    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found, and what was written."""
        if self.below:
            terminalreporter.section("below the coverage floor")
            for sentence in [*self.below, "If no more is to be declared, --update-expectations writes that down."]:
                terminalreporter.write_line(sentence)
        if self.told:
            terminalreporter.section("expectations")
            for sentence in self.told:
                terminalreporter.write_line(sentence)

    def _update(self, rows: list[Row]) -> None:
        now = {name: Declaration.of(implementation) for name, implementation in self.run.implementations.items()}
        new = updated(self.book.written, self.book.besides, rows, now)
        self.book.write(new)
        self.told.append(f"{self.book.place} is written: {len(new.known_failures)} known failures")
        unexplained = sum(one.finding.reason == TO_BE_WRITTEN for one in new.known_failures)
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
