"""Read an expectations file, and say in one sentence what is wrong with its form."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement, Requirement

from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import BadExpectations, Decided, Expectations, KnownFailure, PinnedProblem
from attention_tests.text.wording import unknown
from reference.bounds.formats import FORMATS

T = TypeVar("T", KnownFailure, PinnedProblem, Decided)

KINDS = ("known_failure", "problem", "decided")
BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT)
"""What a known failure can be."""


def read_file(file: Path) -> Expectations:
    """Return what a file says.

    Raises BadExpectations with one sentence if the file cannot be read, or has another form than
    docs/how-to/expectations.md.
    """
    try:
        return _read(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise BadExpectations(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, BadExpectations) as error:
        raise BadExpectations(f"{file}: {error}") from None


def _read(tables: dict[str, Any]) -> Expectations:
    for kind in tables:
        if kind not in KINDS:
            raise BadExpectations(f"the table {unknown(kind, KINDS)}")
    return Expectations(
        tuple(_entries(KnownFailure, "known_failure", tables)),
        tuple(_entries(PinnedProblem, "problem", tables)),
        tuple(_entries(Decided, "decided", tables)),
    )


def _entries(kind: type[T], name: str, tables: dict[str, Any]) -> Iterator[T]:
    entries = tables.get(name, [])
    if not isinstance(entries, list):
        raise BadExpectations(f"{name} is one table, and there may be several: write [[{name}]]")
    for number, table in enumerate(entries, 1):
        try:
            yield kind(**_checked(kind, table))
        except BadExpectations as error:
            raise BadExpectations(f"[[{name}]] {number}: {error}") from None


def _checked(kind: type[T], table: Any) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise BadExpectations("an entry is a table")
    known = [field.name for field in fields(kind)]
    for key in table:
        if key not in known:
            raise BadExpectations(f"the key {unknown(key, known)}")
    for field in fields(kind):
        if field.default is MISSING and field.name not in table:
            raise BadExpectations(f"`{field.name}` is missing")
    return {key: _value(key, value) for key, value in table.items()}


def _value(key: str, value: Any) -> Any:
    match key, value:
        case "dtypes", [*_] if value and all(isinstance(dtype, str) for dtype in value):
            return tuple(map(_dtype, value))
        case "dtypes", _:
            raise BadExpectations('`dtypes` is a list of one or more: dtypes = ["float32"]')
        case "properties", {} if all(type(number) is int for number in value.values()):
            return value
        case "properties", _:
            raise BadExpectations("`properties` is a table of clauses and numbers: properties.softmax = 20")
        case _, str(text):
            return _text(key, text)
    raise BadExpectations(f"`{key}` is a text in quotes, not {value!r}")


def _dtype(name: str) -> str:
    if name not in FORMATS:
        raise BadExpectations(f"the dtype {unknown(name, FORMATS)}")
    return name


def _text(key: str, text: str) -> str:
    if key == "verdict":
        if text not in BROKEN:
            raise BadExpectations(f"the verdict {unknown(text, BROKEN)}")
        return Verdict(text)
    if key == "versions" and not _names_versions(text):
        raise BadExpectations(f'{text!r} are no versions of a library: versions = "torch>=2.5,<2.14"')
    return text


def _names_versions(text: str) -> bool:
    try:
        return bool(Requirement(text).specifier)
    except InvalidRequirement:
        return False
