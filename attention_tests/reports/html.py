"""The HTML report: one page that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.asked import asked_of
from attention_tests.reports.folder import JSON, JUNIT, MARKDOWN
from attention_tests.reports.picture import LOWEST, WIDTH, error_over_bound, number, pictures
from attention_tests.reports.report import BROKEN, Group, Report, grouped, reasons
from attention_tests.reports.tables import PROMISES, counts, findings, in_order, promises, worst_of
from reference.document import CLAUSES

LONGEST_SCRIPT = 20_000
"""Characters of a reproducer that the page shows; a longer one is read in its file."""


WHY_NOT = {"Known failures": Verdict.EXPECTED_FAILURE, "Unsupported": Verdict.UNSUPPORTED}


def html(report: Report) -> str:
    """Return a report as one HTML page; whatever an implementation said is text in it, and never markup."""
    loader = PackageLoader("attention_tests.reports", ".")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {"ratio": number, "breaking": breaking}
    rows = report.rows
    return pages.get_template("page.html.jinja").render(
        report=report,
        clauses=list(CLAUSES),
        tables={dtype: _cells([row for row in rows if dtype in ("", row.dtype)]) for dtype in ("", *report.dtypes)},
        broken=report.of(*BROKEN),
        clause_of={row.law: CLAUSES[row.clause] for row in rows},
        scripts={row.key: row.reproducer for row in rows if 0 < len(row.reproducer) <= LONGEST_SCRIPT},
        promised=PROMISES,
        promises=promises(rows),
        pictures=pictures(rows),
        width=WIDTH,
        lowest=LOWEST,
        reasons={
            name: {title: reasons(own, verdict) for title, verdict in WHY_NOT.items()}
            for name in report.implementations
            if (own := [row for row in rows if row.implementation == name])
        },
        asked_of={name: asked_of(rows, name) for name in report.implementations},
        findings=findings(rows),
        laws=_laws(rows),
        largest=_largest,
        asked={name: _words(value) for name, value in {**report.asked, **asdict(report.profile)}.items()},
        files=(JSON, MARKDOWN, JUNIT),
    )


def breaking(text: str) -> Markup:
    """Let a long name go on in the next line where one of its words ends."""
    return Markup(re.sub(r"([_.:/])", r"\1<wbr>", str(escape(text))))  # noqa: S704 - escaped before


def _cells(rows: list[Row]) -> dict[tuple[str, str], dict[Verdict, int]]:
    names = in_order(row.implementation for row in rows)
    return {(clause, name): counts(worst_of(rows, clause, name)) for clause in CLAUSES for name in names}


def _laws(rows: Iterable[Row]) -> dict[str, list[Group]]:
    """Return the rows of each property, by implementation."""
    found: dict[str, list[Group]] = {}
    for group in grouped(rows):
        found.setdefault(group.implementation, []).append(group)
    return found


def _words(value: object) -> str:
    return ", ".join(value) or "all" if isinstance(value, list) else str(value)


def _largest(group: Group) -> str:
    """Return the largest error over bound of a failure in words; empty where there is none."""
    ratios = [ratio for row in group.rows if row.verdict is Verdict.FAIL and (ratio := error_over_bound(row))]
    return number(max(ratios)) if ratios and max(ratios) > 1 else ""
