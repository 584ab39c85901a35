"""The tutorial is followed, word for word: its files, its commands, and what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from attention_tests.environment import suite
from tests.support.shown import missing, run

TUTORIAL = suite.FOLDER / "docs" / "tutorial.md"


@dataclass(frozen=True)
class Block:
    """One block of the tutorial: its language, the file that it is or changes, and its lines."""

    language: str
    file: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [Block(*block) for block in found]


def follow(folder: Path) -> list[tuple[list[str], str]]:
    """Do what the tutorial says, and return what it says is printed, in lines, and what is."""
    printed = []
    for block in blocks():
        if block.language == "python":
            (folder / block.file).parent.mkdir(exist_ok=True)
            (folder / block.file).write_text(block.text)
        if block.language == "diff":
            change(folder / block.file, block.text.splitlines())
        if block.language == "console":
            command, *expected = block.text.splitlines()
            printed.append((expected, run(folder, command.removeprefix("$ ")).stdout))
    return printed


def change(file: Path, lines: list[str]) -> None:
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    text = file.read_text("utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[str], str]]:
    return follow(tmp_path_factory.mktemp("repository"))


@pytest.mark.parametrize("command", range(4))
def test_each_command_prints_what_is_shown(followed: list[tuple[list[str], str]], command: int) -> None:
    assert len(followed) == 4
    expected, printed = followed[command]
    assert not missing(expected, printed), printed


def test_a_tutorial_line_that_is_not_printed_is_reported() -> None:
    assert missing(["a 1.2345678", "…", "c"], "a 1.2345679\nb\nc") == []
    assert missing(["a 1.2345678", "c"], "a 1.2355678\nb\nc") == ["a 1.2345678", "c"]
    assert missing(["c", "a"], "a\nb\nc") == ["a"]
    assert missing(["a …", "b…"], "a long line\nb") == []
    assert missing(["a …"], "another line") == ["a …"]
