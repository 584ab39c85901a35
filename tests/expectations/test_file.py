"""An expectations file: what can be in it, what is said of what cannot, and that it is written in one form."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.expectations import book
from attention_tests.expectations.book import Book, files_of
from attention_tests.expectations.entries import (
    BadExpectations,
    Declaration,
    Expectations,
    Finding,
    KnownFailure,
    PinnedProblem,
)
from attention_tests.expectations.reading import read_file
from attention_tests.expectations.writing import write_file
from attention_tests.targets.registry import REGISTRY
from implementations import SHIPPED

FINDING = '[[finding]]\nreason = "c"\n'
CASE = '{law = "b", on = ["a"], dtypes = ["float32"]}'
KNOWN = f"{FINDING}cases = [{CASE}]\n"
DECLARED = '[declared]\na = {dtypes = ["float32"], steps = ["softmax"], features = ["scale"]}\n'
SO = Finding(reason="so")
WHY = Finding(
    reason='it says "no" \\ ü \x7f',
    issue="https://example.org/1",
    versions="torch>=2.5,<2.14",
    processor="amx_bf16",
    verdict=Verdict.CRASH,
)


def failure(finding: Finding, law: str, dtype: str, plan: str = "", name: str = "mine:attention") -> KnownFailure:
    return KnownFailure(finding=finding, law=law, implementation=name, dtype=dtype, counterexample=plan)


EVERYTHING = Expectations(
    (
        failure(WHY, "test_a", "float32", "Plan(regimes=('special numbers',))"),
        failure(WHY, "test_a", "bfloat16", "Plan(regimes=('special numbers',))"),
        failure(WHY, "test_a", "float64"),
        failure(SO, "test_b", "float64"),
    ),
    (PinnedProblem(law="test_a", plan="Plan()"), PinnedProblem(law="test_b", plan="Plan()", note="found on a walk")),
    {"mine:attention": Declaration(dtypes=("float64",), steps=("attention", "cache"), features=("scale", "mutable"))},
)


def refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "expectations.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadExpectations) as error:
        read_file(file)
    (sentence,) = str(error.value).splitlines()
    assert sentence.startswith(f"{file}: ")
    return sentence.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[finding]\n", "at line 1"),
        ("[[findings]]\n", "the key 'findings' is not known: did you mean 'finding'? known are finding, problem, dec"),
        (KNOWN.replace("[[finding]]", "[finding]"), "finding: Expected `array`, got `table`"),
        ("finding = [3]\n", "finding 1: Expected `table`, got `int`"),
        (KNOWN + "[[finding]]\n", "finding 2: Table missing required field `reason`"),
        (FINDING, "finding 1: Table missing required field `cases`"),
        (FINDING + 'resaon = ""\n', "finding 1: the key 'resaon' is not known: did you mean 'reason'?"),
        (KNOWN.replace('"c"', "3"), "finding 1, reason: Expected `str`, got `int`"),
        (KNOWN.replace("law", "lwa"), "finding 1, cases 1: the key 'lwa' is not known: did you mean 'law'?"),
        (KNOWN.replace(CASE, f"{CASE}, {{}}"), "finding 1, cases 2: Table missing required field `law`"),
        (KNOWN.replace('["float32"]', '"float32"'), "finding 1, cases 1, dtypes: Expected `array`, got `str`"),
        (KNOWN.replace('["float32"]', "[]"), "finding 1, cases 1, dtypes: Expected `array` of length >= 1"),
        (KNOWN.replace('["a"]', "[]"), "finding 1, cases 1, on: Expected `array` of length >= 1"),
        (KNOWN.replace("float32", "flaot32"), "cases 1: the dtype 'flaot32' is not known: did you mean 'float32'?"),
        (KNOWN + 'verdict = "pass"\n', "finding 1: the verdict 'pass' is not known: known are fail, error, crash, tim"),
        (KNOWN + 'versions = "2.5"\n', "'2.5' are no versions of a library: versions = \"torch>=2.5,<2.14\""),
        (KNOWN + 'versions = ">=2.5"\n', "'>=2.5' are no versions of a library"),
        (KNOWN + 'versions = "torch"\n', "'torch' are no versions of a library"),
        ('[[problem]]\nlaw = "b"\n', "problem 1: Table missing required field `plan`"),
        ('[[problem]]\nlwa = "b"\n', "problem 1: the key 'lwa' is not known: did you mean 'law'?"),
        (DECLARED.replace("float32", "flaot32"), "declared: the dtype 'flaot32' is not known: did you mean 'float32'?"),
        (DECLARED.replace("softmax", "sofmtax"), "declared: the step 'sofmtax' is not known: did you mean 'softmax'?"),
        (DECLARED.replace('"scale', '"sclae'), "declared: the feature 'sclae' is not known: did you mean 'scale'?"),
        (DECLARED.replace("steps", "setps"), "declared: the key 'setps' is not known: did you mean 'steps'?"),
        (DECLARED.replace(", features", "# "), "at line 2"),
        ("declared.a = 3\n", "declared: Expected `table`, got `int`"),
    ],
)
def test_a_malformed_file_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_what_the_tables_are_made_of_is_not_refused(tmp_path: Path) -> None:
    file = tmp_path / "good.toml"
    file.write_text(f"{KNOWN}{DECLARED}")
    assert read_file(file) == Expectations(
        (failure(Finding(reason="c"), "b", "float32", name="a"),),
        declared={"a": Declaration(dtypes=("float32",), steps=("softmax",), features=("scale",))},
    )


def test_a_file_that_is_no_text_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "expectations.toml").write_bytes(b"\xff")
    with pytest.raises(BadExpectations, match="'utf-8' codec can't decode"):
        read_file(tmp_path / "expectations.toml")
    with pytest.raises(BadExpectations, match="cannot be read"):
        read_file(tmp_path)


def test_a_written_file_can_be_read(tmp_path: Path) -> None:
    write_file(tmp_path / "new.toml", EVERYTHING)
    read = read_file(tmp_path / "new.toml")
    assert set(read.known_failures) == set(EVERYTHING.known_failures)
    assert (read.problems, read.declared) == (EVERYTHING.problems, EVERYTHING.declared)
    assert [file.name for file in tmp_path.iterdir()] == ["new.toml"]


def test_a_written_file_has_one_canonical_form(tmp_path: Path) -> None:
    file, other = tmp_path / "new.toml", tmp_path / "other.toml"
    write_file(file, EVERYTHING)
    once = file.read_bytes()
    write_file(file, read_file(file))
    assert file.read_bytes() == once
    write_file(other, replace(EVERYTHING, known_failures=EVERYTHING.known_failures[::-1]))
    assert other.read_bytes() == once
    assert once.count(b"verdict") == 1


def test_what_is_written_by_hand_where_it_could_be_left_out_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'{KNOWN}verdict = "fail"\nissue = ""\n')
    write_file(file, read_file(file))
    assert file.read_text() == f"\n{KNOWN}".replace("[{", "[\n    {").replace("}]", "},\n]")


def test_cases_stand_together_where_the_law_and_its_problem_are_the_same(tmp_path: Path) -> None:
    known = (
        failure(SO, "test_a", "float32", "Plan()", name="b"),
        failure(SO, "test_a", "float64", "Plan()", name="b"),
        failure(SO, "test_a", "float32", "Plan()", name="a"),
        failure(SO, "test_a", "float64", "Plan()", name="a"),
        failure(SO, "test_a", "float64", "Plan()", name="c"),
        failure(SO, "test_a", "float64", "Plan(keys=2)", name="d"),
        failure(WHY, "test_a", "float64", "Plan()", name="e"),
    )
    write_file(tmp_path / "new.toml", Expectations(known))
    written = (tmp_path / "new.toml").read_text("utf-8")
    lines = [line.strip().split(", counter")[0] for line in written.splitlines() if "law" in line]
    assert lines == [
        '{law = "test_a", on = ["e"], dtypes = ["float64"]',
        '{law = "test_a", on = ["a", "b"], dtypes = ["float64", "float32"]',
        '{law = "test_a", on = ["c"], dtypes = ["float64"]',
        '{law = "test_a", on = ["d"], dtypes = ["float64"]',
    ]
    assert written.count("[[finding]]") == len({SO, WHY})


def test_the_comments_at_the_top_stay(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('# mine\n#\n# and mine\n[[problem]]\nlaw = "a"\nplan = "Plan()"\n')
    write_file(file, replace(EVERYTHING, problems=()))
    assert file.read_text("utf-8").startswith("# mine\n#\n# and mine\n\n[[finding]]\n")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in files_of(SHIPPED.expectations):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(REGISTRY, "implementations", replace(SHIPPED, expectations=tmp_path))
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {file.stem: file.read_text("utf-8") for file in folder.iterdir()}


def test_the_shipped_files_are_as_they_would_be_written(copy: Path) -> None:
    before = texts(copy)
    assert set(before) == set(SHIPPED.libraries())
    opened = Book.open(str(copy), updating=True)
    opened.write(opened.written)
    assert texts(copy) == before


def test_each_library_has_a_file_and_so_have_the_problems(copy: Path) -> None:
    before = texts(copy)
    opened = Book.open(str(copy), updating=True)
    known = KnownFailure(finding=SO, law="test_a", implementation="keras-jax", dtype="float32")
    gone = replace(known, implementation="no-longer-shipped")
    opened.write(opened.written + Expectations((known, gone), EVERYTHING.problems))
    after = texts(copy)
    assert {name for name in after if after[name] != before.get(name)} == {"keras", "problems"}
    assert '\nreason = "so"\n' in after["keras"]
    assert Book.open(str(copy), updating=False).written.problems == EVERYTHING.problems


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("numpy-online", "numpy"),
        ("torch-mha", "torch"),
        ("onnxruntime-23", "onnxruntime"),
        ("x-transformers-flash", "x-transformers"),
        ("array-api-torch", "array-api"),
        ("keras-layer-jax", "keras"),
    ],
)
def test_an_implementation_is_of_one_library(name: str, library: str) -> None:
    assert [one for one, names in SHIPPED.libraries().items() if name in names] == [library]


def test_every_implementation_is_of_a_library() -> None:
    assert sorted(chain(*SHIPPED.libraries().values())) == sorted(SHIPPED.names())


def test_a_file_that_is_named_must_be_there_unless_it_is_to_be_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    with pytest.raises(BadExpectations, match="there is no file"):
        Book.open(missing, updating=False)
    assert Book.open(missing, updating=True).written == Expectations()


def test_a_folder_of_somebody_else_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadExpectations, match="cannot be read: Is a directory"):
        Book.open(str(tmp_path), updating=True)


def test_the_file_in_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Book.open(None, updating=False).written == Expectations()
    write_file(tmp_path / "attention-tests.toml", EVERYTHING)
    assert Book.open(None, updating=False).written == read_file(tmp_path / "attention-tests.toml")


def test_the_shipped_file_applies_in_addition_and_only_once() -> None:
    shipped = book.shipped()
    assert len({one.implementation for one in shipped.known_failures}) > 1
    assert Book.open(None, updating=False).besides == shipped
    assert Book.open(str(SHIPPED.expectations), updating=False).besides == Expectations()
    assert Book.open(str(SHIPPED.expectations), updating=False).written == shipped
