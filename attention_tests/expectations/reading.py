"""Read an expectations file, and say in one sentence what is wrong with its form."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from attention_tests.expectations.entries import (
    BadExpectations,
    Declaration,
    Entry,
    Expectations,
    Finding,
    KnownFailure,
    PinnedProblem,
    assert_known,
)
from attention_tests.text.wording import unknown
from reference.bounds.formats import FORMATS

Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Case(Entry, frozen=True, kw_only=True):
    """One law, the implementations that break it for the reason of a finding, and the problem on which they do."""

    law: str
    on: Names
    dtypes: Names
    counterexample: str = ""

    def __post_init__(self) -> None:
        assert_known("dtype", self.dtypes, FORMATS)


class _FindingWithCases(Finding, frozen=True, kw_only=True):
    cases: tuple[Case, ...]


class _File(Entry, frozen=True, kw_only=True):
    finding: tuple[_FindingWithCases, ...] = ()
    problem: tuple[PinnedProblem, ...] = ()
    declared: dict[str, Declaration] = msgspec.field(default_factory=dict)


_TABLES = {
    "": _File,
    "finding": _FindingWithCases,
    "finding, cases": Case,
    "problem": PinnedProblem,
    "declared": Declaration,
}


def read_file(file: Path) -> Expectations:
    """Return what a file says.

    Raises BadExpectations with one sentence if the file cannot be read, or has another form than
    docs/how-to/expectations.md.
    """
    try:
        return _expectations(msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File))
    except OSError as error:
        raise BadExpectations(f"{file} cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise BadExpectations(f"{file}: {_sentence(str(error))}") from None
    except ValueError as error:
        raise BadExpectations(f"{file}: {error}") from None


def _expectations(file: _File) -> Expectations:
    known_failures = (
        KnownFailure(
            finding=finding, law=case.law, implementation=name, dtype=dtype, counterexample=case.counterexample
        )
        for entry in file.finding
        for finding in [msgspec.convert(entry, Finding, from_attributes=True)]
        for case in entry.cases
        for name in case.on
        for dtype in case.dtypes
    )
    return Expectations(tuple(known_failures), file.problem, file.declared)


def _sentence(message: str) -> str:
    """Say in the words of TOML what msgspec says in those of JSON: which entry it is about, counted from one."""
    what, _, path = message.partition(" - at `$.")
    path = path.rstrip("`").replace("[...]", "").replace(".", ", ")
    found = re.fullmatch(r"Object contains unknown field `(.*)`", what)
    if found:
        table = _TABLES[re.sub(r"\[\d+\]", "", path)]
        what = f"the key {unknown(found[1], table.__struct_fields__)}"
    where = re.sub(r"\[(\d+)\]", lambda number: f" {int(number[1]) + 1}", path)
    return f"{where}: {what}".removeprefix(": ").replace("Object", "Table").replace("`object`", "`table`")
