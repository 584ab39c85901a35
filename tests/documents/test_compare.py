"""The comparison of two reports sees each difference, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attention_tests.engine.catalogue import all_laws
from attention_tests.environment.suite import FOLDER
from benchmarks.compare import NONE, Verdicts, differences, main, renamed_laws

RENAMED = renamed_laws((FOLDER / "CHANGELOG.md").read_text("utf-8"))
BEFORE: Verdicts = {("numpy", "float32", "test_old"): "pass", ("numpy", "float32", "test_gone"): "pass"}
NOW: Verdicts = {("numpy", "float32", "test_new"): "pass", ("numpy", "float32", "test_added"): "pass"}
NAMES = {"test_old": "test_new", "test_gone": NONE, "test_added": NONE}


def test_a_law_that_was_renamed_dropped_or_added_as_written_is_no_difference() -> None:
    assert not list(differences(BEFORE, NOW, NAMES))


@pytest.mark.parametrize("name", list(NAMES))
def test_a_law_that_is_in_one_report_alone_is_a_difference(name: str) -> None:
    assert list(differences(BEFORE, NOW, {old: new for old, new in NAMES.items() if old != name}))


def test_another_verdict_is_a_difference() -> None:
    now = {**NOW, ("numpy", "float32", "test_new"): "fail"}
    assert list(differences(BEFORE, now, NAMES)) == ["test_new on numpy (float32): pass before, fail now"]


def test_the_changelog_names_laws_that_there_are() -> None:
    laws = {law.name for law in all_laws()}
    assert RENAMED
    assert {new for new in RENAMED.values() if new != NONE} <= laws
    assert not {old for old, new in RENAMED.items() if new != NONE} & laws


def test_the_command_ends_with_one_where_verdicts_differ(tmp_path: Path) -> None:
    for name, verdict in (("old", "pass"), ("new", "fail")):
        row = {"implementation": "numpy", "dtype": "float32", "law": "test_law", "verdict": verdict}
        (tmp_path / name).write_text(json.dumps({"rows": [row]}))
    assert main([str(tmp_path / "old"), str(tmp_path / "old")]) == 0
    assert main([str(tmp_path / "old"), str(tmp_path / "new")]) == 1
