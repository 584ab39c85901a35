"""An expectations file: what can be in it, what is said of what cannot, and that it is written in one form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.book import Book
from attention_tests.expectations.entries import BadExpectations, Decided, Expectations, KnownFailure, PinnedProblem
from attention_tests.expectations.reading import read_file
from attention_tests.expectations.writing import write_file
from implementations import SHIPPED

KNOWN = 'implementation = "a"\ndtypes = ["float32"]\nlaw = "b"\nreason = "c"\n'
EVERYTHING = Expectations(
    (
        KnownFailure(
            implementation="mine:attention",
            dtypes=("float32", "bfloat16"),
            law="test_a",
            reason='it says "no" \\ ü',
            issue="https://example.org/1",
            versions="torch>=2.5,<2.14",
            processor="amx_bf16",
            verdict=Verdict.CRASH,
            counterexample="Plan(regimes=('special numbers',))",
        ),
        KnownFailure(implementation="mine:attention", dtypes=("float64",), law="test_b", reason="so"),
    ),
    (PinnedProblem(law="test_a", plan="Plan()"), PinnedProblem(law="test_b", plan="Plan()", note="found on a walk")),
    (Decided(implementation="mine:attention", dtypes=("float64",), properties={"softmax": 20, "every-word": 3}),),
)


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "expectations.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadExpectations) as error:
        read_file(file)
    (sentence,) = str(error.value).splitlines()
    assert sentence.startswith(f"{file}: ")
    return sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[known_failure]\n", "at line 1"),
        ("[[known_failures]]\n", "did you mean 'known_failure'?"),
        ("[known_failure]\n" + KNOWN, "write [[known_failure]]"),
        ("known_failure = [3]\n", "[[known_failure]] 1: an entry is a table"),
        ("[[known_failure]]\n" + KNOWN + "[[known_failure]]\n", "[[known_failure]] 2: `implementation` is missing"),
        ('[[known_failure]]\nimplementation = "a"\ndtypes = ["float32"]\nlaw = "b"\n', "`reason` is missing"),
        ("[[known_failure]]\n" + KNOWN + 'resaon = ""\n', "did you mean 'reason'?"),
        ("[[known_failure]]\n" + KNOWN.replace('"c"', "3"), "`reason` is a text in quotes, not 3"),
        ("[[known_failure]]\n" + KNOWN.replace('["float32"]', '"float32"'), "`dtypes` is a list of one or more"),
        ("[[known_failure]]\n" + KNOWN.replace('["float32"]', "[]"), "`dtypes` is a list of one or more"),
        ("[[known_failure]]\n" + KNOWN.replace("float32", "flaot32"), "did you mean 'float32'?"),
        ("[[known_failure]]\n" + KNOWN + 'verdict = "pass"\n', "known are fail, error, crash, timeout"),
        ("[[known_failure]]\n" + KNOWN + 'versions = "2.5"\n', "'2.5' are no versions of a library"),
        ("[[known_failure]]\n" + KNOWN + 'versions = ">=2.5"\n', "'>=2.5' are no versions of a library"),
        ('[[problem]]\nlaw = "b"\n', "[[problem]] 1: `plan` is missing"),
        ('[[decided]]\nimplementation = "a"\ndtypes = ["float32"]\nproperties = 3\n', "a table of clauses and numbers"),
        (
            '[[decided]]\nimplementation = "a"\ndtypes = ["float32"]\nproperties.softmax = true\n',
            "a table of clauses and numbers",
        ),
    ],
)
def test_what_has_another_form_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_what_is_no_text_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "expectations.toml").write_bytes(b"\xff")
    with pytest.raises(BadExpectations, match="'utf-8' codec can't decode"):
        read_file(tmp_path / "expectations.toml")
    with pytest.raises(BadExpectations, match="cannot be read"):
        read_file(tmp_path)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    write_file(tmp_path / "new.toml", EVERYTHING)
    assert read_file(tmp_path / "new.toml") == EVERYTHING
    assert [file.name for file in tmp_path.iterdir()] == ["new.toml"]


def test_what_is_written_has_one_form(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    write_file(file, EVERYTHING)
    once = file.read_bytes()
    write_file(file, read_file(file))
    assert file.read_bytes() == once
    assert b"sometimes" not in once
    assert once.count(b"verdict") == 1


def test_the_comments_at_the_top_stay(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('# mine\n#\n# and mine\n[[problem]]\nlaw = "a"\nplan = "Plan()"\n')
    write_file(file, replace(EVERYTHING, problems=()))
    assert file.read_text("utf-8").startswith("# mine\n#\n# and mine\n\n[[known_failure]]\n")


def test_the_shipped_file_is_as_it_would_be_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_bytes(SHIPPED.expectations.read_bytes())
    write_file(copy, read_file(copy))
    assert copy.read_text("utf-8") == SHIPPED.expectations.read_text("utf-8")


def test_a_file_that_is_named_must_be_there_unless_it_is_to_be_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    with pytest.raises(BadExpectations, match="there is no file"):
        Book.open(missing, updating=False)
    assert Book.open(missing, updating=True).written == Expectations()


def test_the_file_of_this_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Book.open(None, updating=False).written == Expectations()
    write_file(tmp_path / "attention-tests.toml", EVERYTHING)
    assert Book.open(None, updating=False).written == EVERYTHING


def test_what_the_suite_ships_holds_besides_once() -> None:
    shipped = read_file(SHIPPED.expectations)
    assert Book.open(None, updating=False).besides == shipped
    assert Book.open(str(SHIPPED.expectations), updating=False).besides == Expectations()
