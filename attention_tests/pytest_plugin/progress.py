"""The progress of a run: one line that changes on a terminal, and a line now and then in a log.

pytest's own progress moves only when a test ends: a call that hangs, or a property that is explored for minutes, would
not be seen.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import suppress
from shutil import get_terminal_size
from threading import Event, Thread
from typing import TextIO, cast

import pytest

from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.summary import Summary, row_of
from attention_tests.reports.report import BROKEN

SECONDS_ON_A_TERMINAL = 0.5
SECONDS_IN_A_LOG = 60.0


class Progress:
    """Says how many verdicts there are, and what is running.

    Its lines take the place of pytest's letters, unless pytest was told to say more (-v, -s) itself.
    """

    def __init__(self, config: pytest.Config, run: Run, summary: Summary) -> None:
        self.config, self.run, self.summary = config, run, summary
        self.started: dict[str, float] = {}
        """The time at which each running test began."""
        self.live = False
        self.in_place_of_letters = False
        self._begun = time.monotonic()
        self._ended = Event()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Speak while tests run, and only then."""
        terminal = cast("pytest.TerminalReporter", self.config.pluginmanager.get_plugin("terminalreporter"))
        out = uncaptured() if terminal.verbosity >= 0 else None
        if out is None:
            return (yield)
        self.in_place_of_letters = terminal.verbosity == 0 and self.config.getoption("capture") != "no"
        self.live = self.in_place_of_letters and terminal.isatty()
        if self.in_place_of_letters:
            terminal.showfspath = False
        self._begun = time.monotonic()
        ticker = Thread(target=self._tick, args=(session, out), daemon=True)
        ticker.start()
        try:
            return (yield)
        finally:
            self._ended.set()
            ticker.join()
            self.live = self.in_place_of_letters = False
            out.close()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Remember what began."""
        self.started[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Forget what ended."""
        self.started.pop(nodeid, None)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> Generator[None, tuple[str, str, str], tuple[str, str, str]]:
        """Leave out pytest's letters of properties where our line is; other tests keep theirs."""
        category, letter, word = yield
        ours = self.in_place_of_letters and (self.live or row_of(report) is not None)
        return (category, "", "") if ours else (category, letter, word)

    def _tick(self, session: pytest.Session, out: TextIO) -> None:
        # Nobody may be listening any more.
        with suppress(OSError):
            while not self._ended.wait(SECONDS_ON_A_TERMINAL if self.live else SECONDS_IN_A_LOG):
                # Nothing runs while the workers of pytest-xdist are made.
                if self.started:
                    line = self.line(session.testscollected)
                    # Tests that are no properties have letters, in the same line.
                    before = "" if self.summary.rows else "\n"
                    out.write(f"\r{_fitting(line)}" if self.live else f"{before}{line}\n")
                    out.flush()
            if self.live:
                out.write(f"\r{_fitting('')}\r")
                out.flush()

    def line(self, of_how_many: int) -> str:
        """Say how far the run is, and what it is at."""
        now = time.monotonic()
        # Copies: the thread that runs tests adds to both.
        verdicts, started = [row.verdict for row in list(self.summary.rows.values())], list(self.started.items())
        broken = sum(verdict in BROKEN for verdict in verdicts)
        parts = [f"{len(verdicts)} of {of_how_many} verdicts", f"{broken} broken", words(now - self._begun)]
        if self.run.deadline is not None:
            parts.append(f"{words(max(self.run.deadline - now, 0))} of the budget left")
        running = [f"{words(now - began)} in {nodeid.rpartition('::')[2]}" for nodeid, began in started]
        return ", ".join(parts) + (f"; {' and '.join(running)}" if running else "")


def uncaptured() -> TextIO | None:
    """Open what pytest writes to between tests; while one runs, what is printed is captured."""
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None


def _fitting(line: str) -> str:
    width = get_terminal_size().columns - 1
    return line[:width].ljust(width)


def words(seconds: float) -> str:
    """Write a time in whole seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
