"""The index of what was found in libraries, docs/findings/README.md, made of the findings themselves.

python -m tests.documents.findings
"""

from __future__ import annotations

from pathlib import Path

from tabulate import tabulate

from attention_tests.environment.suite import FOLDER

FINDINGS = FOLDER / "docs" / "findings"
INDEX = FINDINGS / "README.md"
INTRODUCTION = """\
# What was found in released libraries

Each was checked by hand against the library's documentation, and has a program of a few lines that shows it. What a law
finds is declared as an expected failure in `implementations/expectations/`, so that the day it is mended shows.
Written by `python -m tests.documents.findings`.

"""


def main() -> None:
    """Write the index."""
    INDEX.write_text(index(), "utf-8")


def index() -> str:
    """Return the index: a line for each finding, by library."""
    rows = sorted(map(_row, files()), key=lambda row: row[0].casefold())
    return f"{INTRODUCTION}{tabulate(rows, ['library', 'finding', 'public issue'], tablefmt='github')}\n"


def files() -> list[Path]:
    """Return the files of the findings."""
    return [file for file in FINDINGS.glob("*.md") if file != INDEX]


def _row(file: Path) -> tuple[str, str, str]:
    title, *lines = file.read_text("utf-8").splitlines()
    said = dict(_cells(line) for line in lines if line.startswith("| ") and line.count(" | ") == 1)
    return said["library"], f"[{title.removeprefix('# ')}]({file.name})", said["public issue"]


def _cells(line: str) -> tuple[str, str]:
    name, _, text = line.strip("| ").partition(" | ")
    return name.strip(), text.strip()


if __name__ == "__main__":
    main()
