"""Write an expectations file: one form for one meaning, so that a diff shows what changed."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import msgspec
import tomlkit

from attention_tests.expectations.entries import Entry, Expectations, Finding, KnownFailure
from attention_tests.expectations.reading import Case
from reference.bounds.formats import FORMATS

HEADER = """\
# What is expected of a run of attention-tests, as --update-expectations writes it. By hand: the reason of each finding,
# its link, versions and processor, which cases are its own, and these lines.
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
    findings: dict[Finding, list[KnownFailure]] = defaultdict(list)
    for one in expectations.known_failures:
        findings[one.finding].append(one)
    for finding in sorted(findings, key=msgspec.structs.astuple):
        cases = tomlkit.array().multiline(multiline=True)
        cases.extend(map(_inline, _cases(findings[finding])))
        yield f"[[finding]]\n{tomlkit.dumps({**_plain(finding), 'cases': cases})}"
    for problem in sorted(expectations.problems, key=msgspec.structs.astuple):
        yield f"[[problem]]\n{tomlkit.dumps(_plain(problem))}"
    if expectations.declared:
        declared = {name: _inline(one) for name, one in sorted(expectations.declared.items())}
        yield f"[declared]\n{tomlkit.dumps(declared)}"


def _cases(known: Iterable[KnownFailure]) -> Iterator[Case]:
    dtypes: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in known:
        dtypes[one.law, one.counterexample, one.implementation].add(one.dtype)
    names: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for law, counterexample, name in sorted(dtypes):
        in_order = tuple(dtype for dtype in FORMATS if dtype in dtypes[law, counterexample, name])
        names[law, counterexample, in_order].append(name)
    for (law, counterexample, in_order), on in names.items():
        yield Case(law=law, on=tuple(on), dtypes=in_order, counterexample=counterexample)


def _plain(entry: Entry) -> dict[str, Any]:
    values = ((field, getattr(entry, field.name)) for field in msgspec.structs.fields(entry))
    return {field.name: value for field, value in values if value != field.default}


def _inline(entry: Entry) -> tomlkit.items.InlineTable:
    table = tomlkit.inline_table()
    table.update(_plain(entry))
    return table
