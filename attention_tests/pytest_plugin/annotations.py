"""GitHub annotations of broken laws, at the line of the kernel that raised or that defines it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.pytest_plugin.summary import Summary, row_of
from attention_tests.text.wording import place_in

SHOWN = (Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT, Verdict.ERROR, Verdict.UNEXPECTED_PASS)
MOST = 10
"""GitHub shows no more errors than that of one step."""

IN_A_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
IN_A_PROPERTY = IN_A_MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})


class Annotations:
    """Prints a workflow command for each law that an implementation breaks, at whatever dtypes."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what became of one property."""
        row = row_of(report)
        if row is not None:
            self._rows.append(row)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the commands, each on a line of its own, as GitHub reads them: first the causes, then the laws."""
        terminalreporter.ensure_newline()
        root = Path(os.environ.get("GITHUB_WORKSPACE", ""))
        causes = list(of_diagnoses(self._summary.failures.diagnoses, self._rows, root))
        for command in (*causes, *commands(self._rows, root, MOST - len(causes))):
            terminalreporter.write_line(command)


def wanted() -> bool:
    """Tell whether GitHub is listening."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def of_diagnoses(diagnoses: Iterable[Diagnosis], rows: Iterable[Row], root: Path) -> Iterator[str]:
    """Yield a command for each diagnosis, at the line that defines the kernel, as many as there is room for."""
    places = {row.implementation: row.place for row in rows}
    for one in islice(diagnoses, MOST - 1):
        yield _command({**_location(places.get(one.implementation, ""), root), "title": "diagnosis"}, str(one))


def commands(rows: Iterable[Row], root: Path, most: int = MOST) -> list[str]:
    """Return a command for each implementation and law that is broken, at most `most`, as many as GitHub shows.

    Files outside of `root` are not named: GitHub would look for them in the repository.
    """
    broken: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.verdict in SHOWN:
            broken.setdefault((row.implementation, row.law), []).append(row)
    if len(broken) <= most:
        return [_of(together, root) for together in broken.values()]
    shown = [_of(together, root) for together in list(broken.values())[: most - 1]]
    return [*shown, _command({"title": "attention-tests"}, f"{len(broken) - len(shown)} more laws are broken")]


def _of(rows: list[Row], root: Path) -> str:
    first, dtypes = rows[0], ", ".join(row.dtype for row in rows)
    properties = _location(place_in(first.explanation), root) or _location(first.place, root)
    lines = [f"{first.implementation} ({dtypes}): {first.says}", *filter(None, [first.counterexample])]
    return _command({**properties, "title": f"{first.law}: {first.verdict}"}, "\n".join(lines))


def _location(place: str, root: Path) -> dict[str, str]:
    name, _, line = place.rpartition(":")
    file = Path(name).resolve()
    if not name or not line.isdigit() or not file.is_relative_to(root.resolve()):
        return {}
    return {"file": file.relative_to(root.resolve()).as_posix(), "line": line}


def _command(properties: dict[str, str], message: str) -> str:
    written = ",".join(f"{name}={value.translate(IN_A_PROPERTY)}" for name, value in properties.items())
    return f"::error {written}::{message.translate(IN_A_MESSAGE)}"
