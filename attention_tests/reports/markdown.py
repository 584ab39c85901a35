"""The Markdown report for the job summary of a CI system: failures first, the rest folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import escape
from tabulate import tabulate

from attention_tests.engine.verdict import Verdict
from attention_tests.reports.asked import asked_of
from attention_tests.reports.picture import error_over_bound, number
from attention_tests.reports.report import BROKEN, Group, Report, reasons
from attention_tests.reports.tables import PROMISES, counts, findings, promises, worst_of
from reference.document import CLAUSES

LIMIT = 1024 * 1024
"""Bytes that GitHub shows of a job summary; of a longer one it shows none."""

FOR_THE_END = 2048


def markdown(report: Report) -> str:
    """Return a report as Markdown, which GitHub's limit does not cut."""
    parts = list(_parts(report))
    text, left = _fitting(parts, LIMIT - FOR_THE_END)
    more = f"\n{left} more parts of this summary are in report.html: there is no room for them here.\n" if left else ""
    return text + more


def _parts(report: Report) -> Iterable[str]:
    yield f"# attention-tests: {report.meaning}\n"
    yield _table(["verdict", "times"], ([verdict, count] for verdict, count in report.totals.items()))
    yield from ["\n## Diagnosis\n"] if report.diagnoses else []
    yield from (f"\n{_escaped(str(one))}\n" for one in report.diagnoses)
    yield from _clauses(report)
    broken = report.of(*BROKEN)
    yield from ["\n## What is wrong\n"] if broken else []
    yield from (_failure(group, report.reproducers) for group in broken)
    for name, lines in report.found_out.items():
        yield from _list(f"What was found out about {_escaped(name)}", lines)
    yield from _list("Not declared", report.undeclared)
    yield "\n## What each implementation keeps of its promises\n"
    yield _table(PROMISES, promises(report.rows))
    for verdict, title in (
        (Verdict.EXPECTED_FAILURE, "Known failures"),
        (Verdict.UNSUPPORTED, "Unsupported"),
    ):
        yield from _reasons(title, reasons(report.rows, verdict))
    for name in report.implementations:
        yield from _list(f"What {_escaped(name)} was asked", asked_of(report.rows, name))
    yield from _list("The document's claims", findings(report.rows))
    yield from _list("Not installed", report.missing)
    versions = {**report.versions, **{name: found for one in report.libraries.values() for name, found in one.items()}}
    yield from _list("Machine", (f"{name}: {value}" for name, value in report.environment.items()))
    yield from _list("Versions", (f"{name} {version}" for name, version in versions.items()))


def _clauses(report: Report) -> Iterable[str]:
    yield "\n## Properties of each clause\n"
    names = report.implementations
    cells = {clause: [counts(worst_of(report.rows, clause, name)).items() for name in names] for clause in CLAUSES}
    lines = [
        [clause, *("<br>".join(f"{count} {verdict}" for verdict, count in cell) for cell in of_clause)]
        for clause, of_clause in cells.items()
    ]
    yield _pipes(["clause", *map(_escaped, names)], lines)


def _failure(group: Group, reproducers: Mapping[tuple[str, str, str], str]) -> str:
    told = []
    for row in group.rows:
        ratio, script = error_over_bound(row), reproducers.get(row.key)
        told.append(
            f"\n{row.dtype}: **{row.verdict}**"
            + (f", {number(ratio)} times its bound" if row.verdict is Verdict.FAIL and ratio else "")
            + (f", reproducer [{script}]({script})" if script else "")
            + f"\n\n{_fenced(row.explanation)}\n"
        )
    return (
        f"\n<details><summary><b>{escape(group.law)}</b> on {escape(group.implementation)}, "
        f"{', '.join(row.dtype for row in group.rows)}</summary>\n\n{_escaped(group.rows[0].says)}\n"
        + "".join(told)
        + "\n</details>\n"
    )


def _reasons(title: str, found: Mapping[str, list[str]]) -> Iterable[str]:
    lines = ([reason, ", ".join(laws)] for reason, laws in found.items())
    table = _table(["reason", "properties"], lines)
    if found:
        yield f"\n<details><summary><b>{title}</b></summary>\n\n{table}\n</details>\n"


def _list(title: str, lines: Iterable[str]) -> Iterable[str]:
    points = "".join(f"- {_escaped(line)}\n" for line in lines)
    if points:
        yield f"\n<details><summary><b>{title}</b></summary>\n\n{points}\n</details>\n"


def _table(headers: list[str], lines: Iterable[Sequence[object]]) -> str:
    return _pipes(headers, [[_escaped(str(cell)) for cell in line] for line in lines])


def _pipes(headers: list[str], lines: list[list[str]]) -> str:
    # Padding is for readers of the source, of which there are none.
    return re.sub(" {2,}", " ", tabulate(lines, headers=headers, tablefmt="github", disable_numparse=True)) + "\n"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~&#$@])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    """Put a text into a fence that nothing in it can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _fitting(parts: list[str], limit: int) -> tuple[str, int]:
    """Return as many of the parts as fit, and how many do not."""
    kept, size = [], 0
    for part in parts:
        size += len(part.encode("utf-8", errors="backslashreplace"))
        if size <= limit:
            kept.append(part)
    return "".join(kept), len(parts) - len(kept)
