"""Implementations of installed packages: found by name, imported when asked for, and no harm to others if broken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attention_tests.targets import entry_points
from attention_tests.targets.resolve import resolve
from attention_tests.text.wording import BadTarget
from implementations import SHIPPED
from tests.command.test_command import ended

ENTRIES = {
    "kernels": (
        "right = theirs:attention",
        "declared = theirs:DECLARED",
        "extra = theirs:attention [fast]",
        "numpy = theirs:attention",
        "number = theirs:NUMBER",
        "half = theirs",
        "absent = no_such_module:attention",
        "breaks = breaks:attention",
        "twice = theirs:attention",
    ),
    "others": ("twice = breaks:attention",),
}
MODULES = {
    "theirs": (
        "from attention_tests import Implementation\n"
        "def attention(query, key, value):\n"
        "    return query\n"
        "DECLARED = Implementation(name='their own name', attention=attention)\n"
        "NUMBER = 3\n"
    ),
    "breaks": "raise RuntimeError('no device')\n",
}


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for package, lines in ENTRIES.items():
        metadata = tmp_path / f"{package}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("\n".join([f"[{entry_points.GROUP}]", *lines]) + "\n")
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_points.entries.cache_clear()
    yield
    entry_points.entries.cache_clear()
    for name in MODULES:
        sys.modules.pop(name, None)


def refusal(name: str) -> str:
    with pytest.raises(BadTarget) as refused:
        resolve(name)
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def test_names_are_known_and_nothing_is_imported_for_them() -> None:
    assert set(entry_points.names()) >= {"right", "declared", "absent", "breaks", "twice"}
    assert "theirs" not in sys.modules


def test_no_entry_point_is_verified_unless_it_is_named() -> None:
    assert not set(entry_points.names()) & set(SHIPPED.gate())


def test_a_callable_has_the_name_of_its_entry_point() -> None:
    right = resolve("right")
    assert right.name == "right"
    assert right.attention is not None
    assert right.attention(1, 2, 3) == 1


def test_a_declaration_keeps_its_name() -> None:
    assert resolve("declared").name == "their own name"


def test_the_extras_of_an_entry_point_are_no_part_of_its_target() -> None:
    assert resolve("extra").name == "extra"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("number", "number is an int, which cannot be called"),
        ("half", "'theirs' is half a target"),
        ("absent", "no module 'no_such_module'"),
        ("breaks", "importing breaks raised RuntimeError: no device"),
    ],
)
def test_a_broken_entry_point_is_refused_when_it_is_named(name: str, words: str) -> None:
    sentence = refusal(name)
    assert sentence.startswith(f"{name}, which an installed package brings: ")
    assert words in sentence


def test_two_entry_points_of_one_name_can_each_be_named() -> None:
    assert refusal("twice") == (
        "2 installed packages bring an implementation 'twice': name breaks:attention or theirs:attention"
    )


def test_entry_points_do_not_replace_names_of_the_suite() -> None:
    assert resolve("numpy") is not resolve("theirs:attention")
    assert resolve("numpy").attention is SHIPPED.load("numpy").attention
    assert entry_points.hidden() == ["numpy is the suite's own; the numpy of kernels is verified as theirs:attention"]


def test_a_misspelt_entry_point_gets_a_suggestion() -> None:
    assert "did you mean 'declared'?" in refusal("declard")


def test_all_entry_points_are_listed_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    ended("--help")
    printed = capsys.readouterr().out
    assert "right" in printed
    assert "the numpy of kernels is verified as theirs:attention" in printed
    assert max(map(len, printed.splitlines())) <= 120
