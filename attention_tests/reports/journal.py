"""The journal: one line of JSON for each row as soon as it is decided, so that a run that was killed can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from attention_tests.engine.row import Row

T = TypeVar("T")
Rows = dict[tuple[str, str, str], Row]


class CannotResume(Exception):  # noqa: N818 - the word in the message
    """One sentence: why the run cannot go on, and what to do."""


class Asked(msgspec.Struct):
    """The first line: what was asked for."""

    asked: dict[str, Any]


class Journal:
    """Appends lines to a file, each on the disk of the system before the next is decided."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab")

    def add(self, record: Row | Asked) -> None:
        """Write down what was decided, or asked for."""
        # Not msgspec.json, which has no infinite numbers, and no halves of surrogate pairs.
        self._file.write(json.dumps(msgspec.to_builtins(record)).encode("ascii") + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def begin(file: Path, asked: Mapping[str, object]) -> Journal:
    """Start the journal of a run, which is known by what was asked for."""
    file.unlink(missing_ok=True)
    journal = Journal(file)
    journal.add(Asked(dict(asked)))
    return journal


def resume(file: Path, asked: Mapping[str, object]) -> tuple[Journal, Rows]:
    """Go on with the journal of a run that was asked for the same; begin one where there is none.

    Raises CannotResume where something else was asked for, or the file is no journal.
    """
    lines = _whole_lines(file)
    if not lines:
        return begin(file, asked), {}
    rows = decided(file)
    _assert_same(file, _read(file, lines[0], Asked).asked, asked)
    # The run may have been killed in the middle of a line.
    with file.open("r+b") as torn:
        torn.truncate(sum(map(len, lines)))
    return Journal(file), rows


def decided(file: Path) -> Rows:
    """Read the rows of a journal; a last line that is not whole is none."""
    rows = [_read(file, line, Row) for line in _whole_lines(file)[1:]]
    return {row.key: row for row in rows}


def _whole_lines(file: Path) -> list[bytes]:
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    return lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]


def _read(file: Path, line: bytes, kind: type[T]) -> T:
    try:
        return msgspec.convert(json.loads(line), kind)
    except ValueError:
        raise CannotResume(
            f"--resume: {file} is no journal of this suite: leave out --resume, and the run begins anew"
        ) from None


def _assert_same(file: Path, before: Mapping[str, object], asked: Mapping[str, object]) -> None:
    for name in asked:
        if before.get(name) != asked[name]:
            raise CannotResume(
                f"--resume: the run in {file.parent} had {name} {_words(before.get(name))}, and this one has "
                f"{_words(asked[name])}: leave out --resume, and the run begins anew"
            )


def _words(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
