"""Write an expectations file: one form for one meaning, so that a diff shows what changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import MISSING, fields
from itertools import takewhile
from pathlib import Path

import tomlkit
from tomlkit.items import Table

from attention_tests.expectations.entries import Decided, Expectations, KnownFailure, PinnedProblem

HEADER = """\
# What is expected of a run of attention-tests, as --update-expectations writes it. By hand: the reason of each known
# failure, its link, versions and processor, and these lines.
"""


def write_file(file: Path, expectations: Expectations) -> None:
    """Write the file; the comments at its top stay as they are."""
    header = _header(file.read_text("utf-8")) if file.exists() else HEADER
    # At once, or not at all.
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.write_text("\n".join([header, *_texts(expectations)]), "utf-8")
    os.replace(unfinished, file)  # noqa: PTH105 - as in the line above: one name takes the place of another


def _header(text: str) -> str:
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "".join(f"{line}\n" for line in lines)


def _texts(expectations: Expectations) -> Iterator[str]:
    for name, entries in (
        ("known_failure", expectations.known_failures),
        ("problem", expectations.problems),
        ("decided", expectations.decided),
    ):
        for one in entries:
            yield f"[[{name}]]\n{_table(one).as_string()}"


def _table(entry: KnownFailure | PinnedProblem | Decided) -> Table:
    table = tomlkit.table()
    for field in fields(entry):
        value = getattr(entry, field.name)
        if field.name == "properties":
            for clause, number in value.items():
                table.append(tomlkit.key(["properties", clause]), tomlkit.item(number))
        elif field.default is MISSING or value != field.default:
            table.append(field.name, list(value) if isinstance(value, tuple) else str(value))
    return table
