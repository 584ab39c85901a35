from __future__ import annotations

import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from attention_tests.engine.profiles import QUICK
from attention_tests.engine.verdict import Verdict
from attention_tests.environment import suite
from attention_tests.pytest_plugin import progress as module
from attention_tests.pytest_plugin.progress import Progress, words
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.summary import ROW, Summary
from tests.support import reported

NODE = "properties/test_softmax.py::test_rows_sum_to_one[mine-float32]"


class Terminal:
    showfspath = True

    def __init__(self, *, isatty: bool, verbosity: int = 0) -> None:
        self.isatty = lambda: isatty
        self.verbosity = verbosity


class Out(StringIO):
    """Keeps what was written when it is closed."""

    def close(self) -> None:
        pass


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Out:
    out = Out()
    monkeypatch.setattr(module, "uncaptured", lambda: out)
    monkeypatch.setattr(module, "SECONDS_ON_A_TERMINAL", 0.01)
    monkeypatch.setattr(module, "SECONDS_IN_A_LOG", 0.01)
    monkeypatch.setenv("COLUMNS", "100")
    return out


def progress(terminal: Terminal, capture: str = "fd") -> Progress:
    plugins = SimpleNamespace(get_plugin=lambda _: terminal)
    config = SimpleNamespace(pluginmanager=plugins, getoption=lambda _: capture)
    run = Run(QUICK)
    return Progress(cast("Any", config), run, Summary(run))


def of_property() -> pytest.TestReport:
    row = reported.row("test_rows_sum_to_one", "softmax", "mine", "float32", Verdict.PASS)
    return cast("pytest.TestReport", SimpleNamespace(**{ROW: msgspec.to_builtins(row)}))


def running(one: Progress, *, seconds: float = 0.1, report: pytest.TestReport | None = None) -> tuple[str, str, str]:
    """Let a property run for a while, and return what pytest would print of it then."""
    loop = one.pytest_runtestloop(cast("pytest.Session", SimpleNamespace(testscollected=7)))
    next(loop)
    one.pytest_runtest_logstart(NODE)
    time.sleep(seconds)
    teststatus = one.pytest_report_teststatus(report or of_property())
    next(teststatus)
    with pytest.raises(StopIteration) as printed:
        teststatus.send(("passed", ".", "PASSED"))
    with pytest.raises(StopIteration):
        loop.send(None)
    return cast("tuple[str, str, str]", printed.value.value)


def test_a_property_that_hangs_is_seen_on_a_terminal(out: Out) -> None:
    terminal = Terminal(isatty=True)
    assert running(progress(terminal)) == ("passed", "", "")
    first, *_, last, nothing = out.getvalue().split("\r")[1:]
    assert first == "0 of 7 verdicts, 0 broken, 0 s; 0 s in test_rows_sum_to_one[mine-float32]".ljust(99)
    assert last == " " * 99
    assert not nothing
    assert not terminal.showfspath


def test_a_line_is_never_wider_than_a_terminal(out: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    running(progress(Terminal(isatty=True)))
    assert {len(line) for line in out.getvalue().split("\r")} == {0, 29}


def test_a_property_that_hangs_is_seen_in_a_log(out: Out) -> None:
    assert running(progress(Terminal(isatty=False))) == ("passed", "", "")
    assert "0 of 7 verdicts, 0 broken, 0 s; 0 s in test_rows_sum_to_one[mine-float32]\n" in out.getvalue()
    assert "\r" not in out.getvalue()


def test_other_tests_keep_their_letters_in_a_log(out: Out) -> None:
    other = cast("pytest.TestReport", SimpleNamespace())
    assert running(progress(Terminal(isatty=False)), report=other) == ("passed", ".", "PASSED")
    assert out.getvalue().startswith("\n0 of 7 verdicts")


def test_a_short_run_says_nothing_in_a_log(out: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_IN_A_LOG", 30)
    running(progress(Terminal(isatty=False)), seconds=0)
    assert not out.getvalue()


def test_nothing_is_printed_in_quiet_mode(out: Out) -> None:
    assert running(progress(Terminal(isatty=True, verbosity=-1))) == ("passed", ".", "PASSED")
    assert not out.getvalue()


def test_output_capturing_off_leaves_the_progress_to_pytest(out: Out) -> None:
    assert running(progress(Terminal(isatty=True), capture="no")) == ("passed", ".", "PASSED")
    assert "\r" not in out.getvalue()


def test_no_progress_is_printed_without_a_usable_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", StringIO())
    assert module.uncaptured() is None
    assert running(progress(Terminal(isatty=True)), seconds=0) == ("passed", ".", "PASSED")


def test_a_kernel_that_hangs_is_seen_while_it_does(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import time\n"
        "from attention_tests import Implementation\n"
        "from tests.support.targets import attention as right\n"
        "slept = []\n"
        "def hangs(query, key, value):\n"
        "    if not slept and key.shape[-2] == 7:\n"
        "        slept.append(time.sleep(2.5))\n"
        "    return right(query, key, value)\n"
        "attention = Implementation(name='mine:attention', attention=hangs)\n"
    )
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "attention_tests", "mine:attention", "--no-isolate", "--profile=quick"]
    process = subprocess.Popen(  # noqa: S603
        [*command, "--dtype=float32", "-k", "every_element"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(suite.FOLDER), "COLUMNS": "120", "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    assert process.wait() == pytest.ExitCode.OK, shown
    assert "s; 2 s in test_every_element_is_inside_the_derived_bound[mine:attention-float32] " in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # Linux says so where the other end is closed.
        return b""


def test_verdicts_are_counted_and_finished_properties_are_not_shown() -> None:
    one = progress(Terminal(isatty=False))
    one.pytest_runtest_logstart(NODE)
    rows = [reported.row(f"test_{verdict}", "softmax", "mine", "float32", verdict) for verdict in Verdict]
    one.summary.rows |= {row.key: row for row in rows}
    one.pytest_runtest_logfinish(NODE)
    assert one.line(12) == "9 of 12 verdicts, 5 broken, 0 s"


def test_the_remaining_budget_is_shown() -> None:
    one = progress(Terminal(isatty=False))
    one.run.deadline = time.monotonic() + 125.5
    assert "2 min 5 s of the budget left" in one.line(12)
    one.run.deadline = time.monotonic() - 1
    assert "0 s of the budget left" in one.line(12)


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (7200, "120 min 0 s")])
def test_a_time_is_printed_short(seconds: float, said: str) -> None:
    assert words(seconds) == said
