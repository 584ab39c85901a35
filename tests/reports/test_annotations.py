"""GitHub annotations of broken laws: file and line, escaped, and no more than GitHub shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock, call

import msgspec
import pytest

from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.diagnosis.shown import Failures
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.pytest_plugin.annotations import MOST, Annotations, commands, of_diagnoses, wanted
from attention_tests.pytest_plugin.summary import ROW as ROW_OF_A_REPORT
from attention_tests.pytest_plugin.summary import Summary
from attention_tests.text.wording import place_in, raised

ROW = Row(
    law="test_rows",
    clause="softmax",
    implementation="mine:attention",
    dtype="float32",
    precision="float32",
    verdict=Verdict.FAIL,
    says="Rows sum to one.",
    counterexample="Plan(keys=2)",
)


def place(root: Path, name: str, line: int = 7) -> str:
    return f"{root / name}:{line}"


def test_a_broken_law_is_shown_where_the_callable_is_defined(tmp_path: Path) -> None:
    row = replace(ROW, place=place(tmp_path, "mykernels/flash.py"))
    (command,) = commands([row], tmp_path)
    _, properties, message = command.split("::")
    assert properties == "error file=mykernels/flash.py,line=7,title=test_rows%3A fail"
    assert message == "mine:attention (float32): Rows sum to one.%0APlan(keys=2)"


def test_an_exception_is_shown_where_it_was_raised(tmp_path: Path) -> None:
    explanation = f"mine raised.\n\n  attention raised ValueError: a (b:3) c ({place(tmp_path, 'tile.py', 12)})\n  end"
    row = replace(ROW, verdict=Verdict.ERROR, explanation=explanation, place=place(tmp_path, "flash.py"))
    assert commands([row], tmp_path)[0].startswith("::error file=tile.py,line=12,title=test_rows%3A error::")


def test_an_exception_in_a_library_is_shown_where_the_callable_is_defined(tmp_path: Path) -> None:
    explanation = "attention raised ValueError: no (/usr/lib/numpy/core.py:12)"
    row = replace(ROW, verdict=Verdict.ERROR, explanation=explanation, place=place(tmp_path, "flash.py"))
    assert commands([row], tmp_path)[0].startswith("::error file=flash.py,line=7,")


@pytest.mark.parametrize("elsewhere", ["", "/usr/lib/kernel.py:3", "flash.cu", ":3", "flash.cu:many"])
def test_a_law_without_a_line_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert commands([replace(ROW, place=elsewhere)], tmp_path)[0].startswith("::error title=test_rows%3A fail::mine")


def test_all_dtypes_of_a_law_share_one_annotation(tmp_path: Path) -> None:
    (command,) = commands([ROW, replace(ROW, dtype="float64")], tmp_path)
    assert "mine:attention (float32, float64): " in command


@pytest.mark.parametrize("changes", [{"law": "test_scale"}, {"implementation": "yours"}])
def test_laws_and_implementations_have_separate_annotations(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert len(commands([ROW, replace(ROW, **changes)], tmp_path)) == 2


SAID = {Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT, Verdict.ERROR, Verdict.UNEXPECTED_PASS}


@pytest.mark.parametrize("verdict", Verdict)
def test_only_what_fails_the_gate_is_shown(tmp_path: Path, verdict: Verdict) -> None:
    assert bool(commands([replace(ROW, verdict=verdict)], tmp_path)) == (verdict in SAID)


def test_the_control_characters_of_github_are_escaped(tmp_path: Path) -> None:
    row = replace(ROW, says="100 %:\r\n::error::, no", place=place(tmp_path, "50%,a:b.py"))
    (command,) = commands([row], tmp_path)
    assert "\n" not in command
    assert "\r" not in command
    assert "file=50%25%2Ca%3Ab.py," in command
    assert ": 100 %25:%0D%0A::error::, no%0APlan" in command


@pytest.mark.parametrize(("broken", "shown", "more"), [(MOST, MOST, False), (MOST + 1, MOST, True)])
def test_more_than_github_shows_are_counted(tmp_path: Path, broken: int, shown: int, more: bool) -> None:  # noqa: FBT001
    found = commands([replace(ROW, law=f"test_{number}") for number in range(broken)], tmp_path)
    assert len(found) == shown
    assert (found[-1] == "::error title=attention-tests::2 more laws are broken") == more


@pytest.mark.parametrize(("value", "listens"), [("true", True), ("false", False), (None, False)])
def test_nothing_is_printed_outside_of_github(
    monkeypatch: pytest.MonkeyPatch,
    value: str | None,
    listens: bool,  # noqa: FBT001
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    if value:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    assert wanted() == listens


def test_what_pytest_reports_is_printed_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    row = replace(ROW, place=place(tmp_path, "flash.py"))
    diagnosis = Diagnosis("mine:attention", ("float32",), "ignores the mask", ("mask-ignored",), 3, 5)
    summary = SimpleNamespace(failures=Failures((diagnosis,), (row,)))
    annotations, terminal = Annotations(cast("Summary", summary)), Mock()
    for report in (SimpleNamespace(**{ROW_OF_A_REPORT: msgspec.to_builtins(row)}), SimpleNamespace()):
        annotations.pytest_runtest_logreport(cast("pytest.TestReport", report))
    annotations.pytest_terminal_summary(terminal)
    (cause,) = of_diagnoses([diagnosis], [row], tmp_path)
    assert cause.startswith("::error file=flash.py,line=")
    assert "title=diagnosis::mine:attention (float32): it ignores the mask.%0AThat explains all 3 wrong" in cause
    (command,) = commands([row], tmp_path)
    assert terminal.mock_calls == [call.ensure_newline(), call.write_line(cause), call.write_line(command)]


def test_a_source_location_is_read_from_an_exception_message() -> None:
    def kernel() -> None:
        raise ValueError("tiles of (3) keys\nonly")

    with pytest.raises(ValueError, match="tiles") as caught:
        kernel()
    line = kernel.__code__.co_firstlineno + 1
    assert place_in(f"x-float32: attention raised {raised(caught.value)}\n  more") == f"{__file__}:{line}"


@pytest.mark.parametrize("text", ["", "raised ValueError: no", "an answer (flash.py:3)", "raised by (flash.py)"])
def test_no_source_location_is_read_from_any_other_text(text: str) -> None:
    assert not place_in(text)
