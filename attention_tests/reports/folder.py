"""The folder of the reports, checked before anything runs; no file in it is ever half written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from attention_tests.engine.row import Row

JOURNAL = "journal.jsonl"
JSON = "report.json"
HTML = "report.html"
MARKDOWN = "summary.md"
JUNIT = "junit.xml"
REPRODUCERS = "reproducers"
PROBE = "can-be-written"

LONGEST_NAME = 120


class CannotWrite(Exception):  # noqa: N818 - the word in the message
    """One sentence: what cannot be written, and what to do."""


def prepare(folder: Path) -> bool:
    """Make the folder, see that it can be written, and tell whether an earlier run reported into it.

    Raises CannotWrite.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / PROBE, "")
        (folder / PROBE).unlink()
    except OSError as error:
        raise CannotWrite(
            f"--report: {folder} is no folder that can be written ({error.strerror}): name another"
        ) from None
    return (folder / JOURNAL).exists()


def clear(folder: Path) -> None:
    """Take out what an earlier run reported, which would be believed to be of this one if this one were killed."""
    shutil.rmtree(folder / REPRODUCERS, ignore_errors=True)
    for name in (JSON, HTML, MARKDOWN, JUNIT):
        (folder / name).unlink(missing_ok=True)


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all, whenever the process ends."""
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, "utf-8", errors="backslashreplace", newline="\n")
    part.replace(file)


def write_reproducers(folder: Path, rows: Iterable[Row]) -> dict[tuple[str, str, str], str]:
    """Write the script of each row that has one, and return where, by `Row.key`, as seen from the folder."""
    with_scripts = [row for row in rows if row.reproducer]
    if with_scripts:
        (folder / REPRODUCERS).mkdir(exist_ok=True)
    places = {}
    for row, name in zip(with_scripts, unique_names(with_scripts), strict=True):
        places[row.key] = f"{REPRODUCERS}/{name}.py"
        write(folder / places[row.key], row.reproducer)
    return places


def unique_names(rows: Iterable[Row]) -> Iterator[str]:
    """Name each row so that any file system takes the name, and no two are the same on one that ignores case."""
    taken: set[str] = set()
    for row in rows:
        words = f"{row.law.removeprefix('test_')}-{row.implementation}-{row.dtype}"
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", words)[:LONGEST_NAME]
        names = (name if number == 1 else f"{name}-{number}" for number in count(1))
        unique = next(name for name in names if name.lower() not in taken)
        taken.add(unique.lower())
        yield unique
