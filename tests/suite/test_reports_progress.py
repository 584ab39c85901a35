from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attention_tests.profiles import QUICK
from attention_tests.reports import progress as module
from attention_tests.reports.progress import Progress, words
from attention_tests.run import Run
from attention_tests.summary import ROW
from attention_tests.verdict import Verdict
from tests.suite import reported

NODE = "properties/test_softmax.py::test_rows_sum_to_one[mine-float32]"


class Terminal:
    verbosity = 0
    showfspath = True

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = lambda: isatty
        self.written: list[str] = []

    def rewrite(self, line: str, **_: bool) -> None:
        self.written.append(line)

    def write_line(self, line: str) -> None:
        self.written.append(line)

    def flush(self) -> None:
        pass


def progress(terminal: Terminal, capture: str = "fd") -> Progress:
    plugins = SimpleNamespace(get_plugin=lambda _: terminal)
    config = SimpleNamespace(pluginmanager=plugins, getoption=lambda _: capture)
    return Progress(cast("Any", config), Run(QUICK))


def report(verdict: Verdict) -> pytest.TestReport:
    row = reported.row("test_law", "softmax", "mine", "float32", verdict)
    return cast("pytest.TestReport", SimpleNamespace(**{ROW: row.plain()}))


def running(one: Progress, *, seconds: float = 0.1) -> tuple[str, str, str]:
    """Let a property run for a while, and return what pytest would print of it then."""
    loop = one.pytest_runtestloop(cast("pytest.Session", SimpleNamespace(testscollected=7)))
    next(loop)
    one.pytest_runtest_logstart(NODE)
    time.sleep(seconds)
    teststatus = one.pytest_report_teststatus()
    next(teststatus)
    with pytest.raises(StopIteration) as printed:
        teststatus.send(("passed", ".", "PASSED"))
    with pytest.raises(StopIteration):
        loop.send(None)
    return cast("tuple[str, str, str]", printed.value.value)


def test_a_property_that_hangs_is_seen_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_ON_A_TERMINAL", 0.01)
    terminal = Terminal(isatty=True)
    assert running(progress(terminal)) == ("passed", "", "")
    assert "0 of 7 verdicts" in terminal.written[0]
    assert any("; 0 s in test_rows_sum_to_one[mine-float32]" in line for line in terminal.written)
    assert not terminal.written[-1]
    assert not terminal.showfspath


def test_a_property_that_hangs_is_seen_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_IN_A_LOG", 0.01)
    terminal = Terminal(isatty=False)
    assert running(progress(terminal)) == ("passed", ".", "PASSED")
    assert any("; 0 s in test_rows_sum_to_one[mine-float32]" in line for line in terminal.written)


def test_a_short_run_says_nothing_in_a_log() -> None:
    terminal = Terminal(isatty=False)
    running(progress(terminal), seconds=0)
    assert not terminal.written


def test_nothing_is_said_to_whom_asked_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_IN_A_LOG", 0.01)
    terminal = Terminal(isatty=True)
    terminal.verbosity = -1
    assert running(progress(terminal)) == ("passed", ".", "PASSED")
    assert not terminal.written


def test_who_lets_tests_print_gets_the_letters_of_pytest() -> None:
    assert running(progress(Terminal(isatty=True), capture="no"), seconds=0) == ("passed", ".", "PASSED")


def test_verdicts_are_counted_and_what_ended_runs_no_more() -> None:
    one = progress(Terminal(isatty=False))
    one.pytest_runtest_logstart(NODE)
    for verdict in Verdict:
        one.pytest_runtest_logreport(report(verdict))
    one.pytest_runtest_logreport(cast("pytest.TestReport", SimpleNamespace()))
    one.pytest_runtest_logfinish(NODE)
    assert one.line(12) == "9 of 12 verdicts, 5 broken, 0 s"


def test_the_budget_that_is_left_is_said() -> None:
    one = progress(Terminal(isatty=False))
    one.run.deadline = time.monotonic() + 125.5
    assert "2 min 5 s of the budget left" in one.line(12)
    one.run.deadline = time.monotonic() - 1
    assert "0 s of the budget left" in one.line(12)


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (7200, "120 min 0 s")])
def test_a_time_is_short(seconds: float, said: str) -> None:
    assert words(seconds) == said
