"""Rows hold whatever an implementation says, and whatever becomes of the suite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import msgspec
import pytest

from attention_tests.declare.implementation import Implementation
from attention_tests.declare.validation import problems_of
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.measurements import Measurements
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.environment import graphics, suite
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin import plugin
from attention_tests.pytest_plugin.run import RUN, Run
from attention_tests.reports.environment import environment, libraries, versions
from attention_tests.targets.resolve import resolve
from attention_tests.text.wording import LONGEST_TEXT, WIDEST_LINE, legible
from tests.support import reported, targets

SUBJECT = Subject(Implementation(name="mine", attention=targets.attention), "float32")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("plain, ünïcode and 注意\n  in lines", "plain, ünïcode and 注意\n  in lines"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\x00b\rc\td", "a\\x00b\\rc\\td"),
        ("\ud800 \ufffe \u202e", "\\ud800 \\ufffe \\u202e"),
    ],
)
def test_invisible_characters_are_escaped(said: str, kept: str) -> None:
    assert legible(said) == kept
    ET.fromstring(f"<said>{kept}</said>")  # noqa: S314 - our own


def test_endless_text_is_cut_and_what_follows_is_kept() -> None:
    text = legible("x" * 10 * WIDEST_LINE + "\n  got  3")
    assert text.endswith(f"… ({9 * WIDEST_LINE} characters more)\n  got  3")
    assert len(legible("a line\n" * LONGEST_TEXT)) < LONGEST_TEXT + 100
    assert legible("x" * WIDEST_LINE) == "x" * WIDEST_LINE


def test_a_row_keeps_legible_text() -> None:
    row = Row.of(all_laws()[0], SUBJECT, Outcome(Verdict.ERROR, reported.HOSTILE))
    assert row.explanation == legible(reported.HOSTILE)
    assert row.explanation.replace("\n", "").isprintable()


def test_a_row_says_of_a_law_and_a_subject_what_became_of_them() -> None:
    law = all_laws()[0]
    measured: Measurements = {"elements": 3.0, "counterexample": "words"}
    outcome = Outcome(Verdict.FAIL, "because", measured, counterexample="Plan()")
    subject = Subject(replace(SUBJECT.implementation, places={law.steps[0]: "flash.py:7"}), "float32")
    row = Row.of(law, subject, outcome, seconds=2.5, reproducer="import numpy")
    assert row == Row(
        law=law.name,
        clause=law.clause.id,
        implementation="mine",
        dtype="float32",
        precision=subject.precision.name,
        verdict=Verdict.FAIL,
        explanation="because",
        measured=measured,
        says=law.says,
        counterexample="Plan()",
        reproducer="import numpy",
        seconds=2.5,
        place="flash.py:7",
    )
    assert row.key == (law.name, "mine", "float32")
    assert row.properties()[5:] == [*measured.items()]
    read = msgspec.json.decode(msgspec.json.encode(row), type=Row)
    assert read == row
    assert read.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["", "a\x1bb", "two\nlines", "\ud800", "x" * 1000, 3])
def test_a_name_that_no_table_can_hold_is_refused(name: Any) -> None:
    (problem,) = problems_of(Implementation(name=name, attention=targets.attention))
    assert problem.endswith("give one to 200 characters that can be seen")
    assert problem.isprintable()
    assert not list(problems_of(Implementation(name=reported.NAMES[2], attention=targets.attention)))


def test_an_internal_error_is_a_row_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistake(*_: object) -> None:
        raise ZeroDivisionError("in the suite")

    monkeypatch.setattr(plugin, "decide", mistake)
    stash: dict[Any, Any] = {RUN: Run(QUICK)}
    item = SimpleNamespace(
        function=SimpleNamespace(law=all_laws()[0]),
        funcargs={"subject": SUBJECT},
        config=SimpleNamespace(stash=stash),
        stash={},
    )
    with pytest.raises(ZeroDivisionError):
        plugin.pytest_pyfunc_call(cast("pytest.Function", item))
    (row,) = item.stash.values()
    assert row.verdict is Verdict.ERROR
    assert row.explanation.startswith("the suite itself went wrong: ZeroDivisionError: in the suite")


def test_the_libraries_of_an_implementation_are_those_that_its_files_import(tmp_path: Path) -> None:
    assert libraries(resolve("tests.support.targets:attention")).keys() == {"numpy"}
    file = tmp_path / "mine.py"
    places = {"attention": f"{file}:1"}
    assert libraries(Implementation(name="mine", attention=targets.attention, places=places)) == {}
    file.write_text("import os, tabulate.sub\ndef f():\n    from hypothesis import given\n    from . import x\n")
    found = libraries(Implementation(name="mine", attention=targets.attention, places=places))
    assert found == {"hypothesis": versions()["hypothesis"], "tabulate": found["tabulate"]}
    file.write_text("this is no Python")
    assert libraries(Implementation(name="mine", attention=targets.attention, places=places)) == {}


def test_the_machine_is_described_without_its_owner() -> None:
    assert versions()["attention-tests"] == suite.version()
    told = environment()
    assert all(told.values())
    assert not any(str(Path.home()) in str(value) for value in told.values())


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('echo "NVIDIA H100, 570.1"; echo "NVIDIA H100, 570.1"', "NVIDIA H100, 570.1; NVIDIA H100, 570.1"),
        ('echo "no devices were found"; exit 6', ""),
        (None, ""),
    ],
)
def test_the_gpus_of_the_machine_are_named(
    script: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is not None:
        tmp_path.joinpath("nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        tmp_path.joinpath("nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    graphics.names.cache_clear()
    found = environment()
    graphics.names.cache_clear()
    assert found.get("gpu", "") == told
