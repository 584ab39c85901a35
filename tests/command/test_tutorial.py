"""The tutorial is followed, word for word: its files, its commands, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from attention_tests.environment import suite

TUTORIAL = suite.FOLDER / "docs" / "tutorial.md"
PROGRAMS = {"attention-tests": ["-m", "attention_tests"], "pytest": ["-m", "pytest"], "python": []}
SKIPPED = "…"

COUNTS = re.compile(r"\d+(?= (pass|unsupported|skipped))")
MEASURES = re.compile(r"\d+\.\d+[s%]|\b0\.\d\d\b")
DIGITS = re.compile(r"-?\d\.\d{6,}")


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
            printed.append((expected, run(folder, command.removeprefix("$ "))))
    return printed


def change(file: Path, lines: list[str]) -> None:
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    text = file.read_text("utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


def run(folder: Path, command: str) -> str:
    program, *options = command.split()
    environment = os.environ | {"PYTHONPATH": str(suite.FOLDER), "PYTEST_ADDOPTS": "", "COLUMNS": "80"}
    # Where it believes to be in CI, pytest prints longer lines.
    for name in ("CI", "BUILD_NUMBER"):
        environment.pop(name, None)
    called = [sys.executable, *PROGRAMS[program], *options]
    done = subprocess.run(called, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert not done.stderr
    return done.stdout


def essential(line: str) -> str:
    """Leave out what another machine, or another law, may change: counts, measures, and the last digits."""
    line = MEASURES.sub("0.0", COUNTS.sub("0", line.strip()))
    return re.sub(r"  +|-+(?=  )", " ", DIGITS.sub(lambda number: f"{float(number[0]):.6g}", line))


def missing(expected: list[str], printed: str) -> list[str]:
    """Return the expected lines from the first on that is not printed, in its order."""
    lines = iter(map(essential, printed.splitlines()))
    wanted = [line for line in expected if line not in (SKIPPED, "")]
    return [line for line in wanted if essential(line) not in lines]


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
