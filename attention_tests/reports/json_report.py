"""The JSON report, in the form that `report.schema.json` describes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from attention_tests.engine.row import Row
from attention_tests.reports.asked import asked_of
from attention_tests.reports.report import Report
from reference.document import CLAUSES

FORMAT = 1
"""Goes up when a program that reads reports must be changed."""


def json_text(report: Report) -> str:
    """Return a report as JSON that any parser takes, RFC 8259 and no more."""
    # Not msgspec.json, which has no halves of surrogate pairs, and null for what is no number.
    return json.dumps(plain(report), indent=1, allow_nan=False) + "\n"


def plain(report: Report) -> dict[str, Any]:
    """Return a report in types that JSON knows."""
    return {
        "format": FORMAT,
        "written": report.written,
        "exit": {"code": int(report.exit_code), "meaning": report.meaning},
        "totals": report.totals,
        "asked": dict(report.asked),
        "profile": asdict(report.profile),
        "versions": dict(report.versions),
        "environment": dict(report.environment),
        "dtypes": report.dtypes,
        "implementations": {
            name: {
                "libraries": dict(found),
                "found_out": list(report.found_out.get(name, ())),
                "asked": asked_of(report.rows, name),
            }
            for name, found in report.libraries.items()
        },
        "diagnoses": [asdict(one) for one in report.diagnoses],
        "missing": list(report.missing),
        "undeclared": list(report.undeclared),
        "clauses": {clause.id: clause.says for clause in CLAUSES.values()},
        "laws": {row.law: row.says for row in report.rows},
        "rows": [_row(row, report.reproducers.get(row.key)) for row in report.rows],
    }


def _row(row: Row, reproducer: str | None) -> dict[str, Any]:
    # What was asked is told of an implementation as a whole.
    told = {name: value for name, value in vars(row).items() if name not in {"says", "calls"}}
    return told | {"measured": _finite(row.measured), "reproducer": reproducer}


def _finite(measured: Mapping[str, float | str]) -> dict[str, float | str]:
    # JSON has no word for what is no number.
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in measured.items()
    }
