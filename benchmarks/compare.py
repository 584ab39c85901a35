"""Comparison of two reports: every law must have the same verdicts, under the name that the changelog says it has now.

python -m benchmarks.compare OLD/report.json NEW/report.json

Ends with 1 if a verdict changed, or if a law is in one report alone and the changelog does not say why.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attention_tests.environment.suite import FOLDER

Verdicts = dict[tuple[str, str, str], str]
"""By implementation, dtype and law."""

NONE = "-"
"""Stands in the changelog's table of laws for a law that has no old name, or no new one."""
ROW = re.compile(rf"^\| `?(test_\w+|{NONE})`? \| `?(test_\w+|{NONE})`? \|", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Print the differences, and return the exit code."""
    parser = ArgumentParser(prog="python -m benchmarks.compare", description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    asked = parser.parse_args(arguments)
    renamed = renamed_laws((FOLDER / "CHANGELOG.md").read_text("utf-8"))
    old, new = (verdicts(json.loads(file.read_text("utf-8"))["rows"]) for file in (asked.old, asked.new))
    found = list(differences(old, new, renamed))
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write(f"{len(old)} and {len(new)} verdicts: {len(found)} differences\n")
    return 1 if found else 0


def renamed_laws(changelog: str) -> dict[str, str]:
    """Return the new name of each law that has another, `NONE` of one that was dropped; and `NONE` is all new ones."""
    return {(old if old != NONE else new): (new if old != NONE else NONE) for old, new in ROW.findall(changelog)}


def verdicts(rows: Iterable[Mapping[str, str]]) -> Verdicts:
    """Return the verdicts of a report."""
    return {(row["implementation"], row["dtype"], row["law"]): row["verdict"] for row in rows}


def differences(old: Verdicts, new: Verdicts, renamed: Mapping[str, str]) -> Iterator[str]:
    """Say what differs, a sentence each."""
    left: Counter[str] = Counter(law for _, _, law in new)
    for (implementation, dtype, law), verdict in old.items():
        name = renamed.get(law, law)
        if name == NONE:
            continue
        left.pop(name, None)
        now = new.get((implementation, dtype, name), "nothing")
        if now != verdict:
            yield f"{name} on {implementation} ({dtype}): {verdict} before, {now} now"
    yield from (f"{law} is new" for law in left if renamed.get(law) != NONE)


if __name__ == "__main__":
    sys.exit(main())
