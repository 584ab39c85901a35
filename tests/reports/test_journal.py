from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports import journal
from attention_tests.reports.folder import CannotWrite, clear, prepare, unique_names, write, write_reproducers
from attention_tests.reports.journal import CannotResume
from tests.support import reported

ASKED = {"targets": ["numpy"], "profile": "quick", "seed": None}
MAYBE = json.dumps(msgspec.to_builtins(reported.rows()[0]) | {"verdict": "maybe"}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def kept(file: Path, rows: list[Row]) -> None:
    begun = journal.begin(file, ASKED)
    for row in rows:
        begun.add(row)
    begun.close()


def test_rows_round_trip(file: Path) -> None:
    rows = reported.rows()
    kept(file, rows)
    resumed, decided = journal.resume(file, ASKED)
    resumed.close()
    assert list(decided.values()) == rows


def test_numbers_and_text_that_cannot_be_encoded_come_back(file: Path) -> None:
    row = reported.row("test_law", "softmax", "numpy", "float32", Verdict.FAIL)
    told = replace(row, place="\udcff\x00.py:1", measured={"a": math.inf, "b": -math.inf, "c": "\ud800"})
    kept(file, [told])
    assert list(journal.decided(file).values()) == [told]


def test_a_row_is_on_disk_before_the_next(file: Path) -> None:
    begun = journal.begin(file, ASKED)
    begun.add(reported.rows()[0])
    assert len(journal.decided(file)) == 1
    begun.close()


@pytest.mark.parametrize("torn", [1, 10, 200])
def test_a_torn_last_line_is_dropped_and_overwritten(file: Path, torn: int) -> None:
    first, second, third = reported.rows()[:3]
    kept(file, [first, second])
    file.write_bytes(file.read_bytes()[:-torn])
    resumed, decided = journal.resume(file, ASKED)
    resumed.add(third)
    resumed.close()
    assert list(decided.values()) == [first]
    assert list(journal.decided(file).values()) == [first, third]


def test_an_empty_journal_is_started_anew(file: Path) -> None:
    for text in ("", '{"asked"'):
        file.write_text(text)
        resumed, decided = journal.resume(file, ASKED)
        resumed.close()
        assert not decided
        assert not journal.decided(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"targets": ["numpy", "torch"]}, "had targets numpy, and this one has numpy, torch: leave out --resume"),
        ({"profile": "default"}, "had profile quick, and this one has default"),
        ({"seed": 3}, "had seed None, and this one has 3"),
        ({"attention-tests": "0.2.0"}, "had attention-tests None, and this one has 0.2.0"),
    ],
)
def test_the_journal_of_another_run_is_refused(file: Path, change: dict[str, object], words: str) -> None:
    kept(file, reported.rows()[:1])
    with pytest.raises(CannotResume, match=words):
        journal.resume(file, ASKED | change)


@pytest.mark.parametrize("text", ["a file of somebody's\n", '{"asked": 3}\n', "[]\n", '{"law": "test_x"}\n', MAYBE])
def test_a_file_that_is_no_journal_is_refused(file: Path, text: str) -> None:
    kept(file, reported.rows()[:1])
    for spoiled in (text, file.read_text() + text):
        file.write_text(spoiled)
        with pytest.raises(CannotResume, match="is no journal of this suite"):
            journal.resume(file, ASKED)


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_an_unwritable_folder_is_reported(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(CannotWrite, match="is no folder that can be written"):
        prepare(tmp_path / place)


def test_only_reports_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    assert not prepare(tmp_path / "new")
    folder = tmp_path / "new"
    for name in ("journal.jsonl", "report.json", "report.html", "summary.md", "junit.xml", "notes.txt"):
        (folder / name).touch()
    write_reproducers(folder, reported.rows())
    assert prepare(folder)
    clear(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["journal.jsonl", "notes.txt"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.json"
    write(file, "before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write(file, "after")
    assert file.read_text() == "before"


def test_reproducers_have_names_that_any_file_system_takes(tmp_path: Path) -> None:
    rows = [row for row in reported.rows() if row.verdict is Verdict.FAIL]
    places = write_reproducers(tmp_path, reported.rows())
    assert list(places) == [row.key for row in rows]
    written = {file.name for file in (tmp_path / "reproducers").iterdir()}
    assert {f"reproducers/{name}" for name in written} == set(places.values())
    assert all(name.replace("-", "").replace("_", "").removesuffix(".py").isalnum() for name in written)


def test_names_differ_even_where_case_is_ignored() -> None:
    names = [name for name in ("mine:f", "mine:F", "mine f", "x" * 300) for _ in range(2)]
    rows = [reported.row("test_law", "softmax", name, "float32", Verdict.FAIL) for name in names]
    unique = list(unique_names(rows))
    assert len({name.lower() for name in unique}) == len(names)
    assert max(map(len, unique)) < 128
