"""The content of every report: all rows, counted and grouped, with what was asked for and what it ran on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.engine.profiles import Profile
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.tables import in_order

BROKEN = (Verdict.FAIL, Verdict.CRASH, Verdict.TIMEOUT, Verdict.ERROR, Verdict.UNEXPECTED_PASS)
"""The verdicts that end a run with 1."""

MEANINGS: dict[int, str] = {
    pytest.ExitCode.OK: "all is as expected",
    pytest.ExitCode.TESTS_FAILED: "not all is as expected",
    pytest.ExitCode.INTERRUPTED: "the run was interrupted",
    pytest.ExitCode.INTERNAL_ERROR: "the suite itself went wrong",
    pytest.ExitCode.USAGE_ERROR: "nothing could be verified",
    pytest.ExitCode.NO_TESTS_COLLECTED: "no property was selected",
}


@dataclass(frozen=True)
class Report:
    """One run, as its reports tell it."""

    rows: Sequence[Row]
    exit_code: int
    written: str
    """When, in UTC."""
    asked: Mapping[str, object]
    """The request: the targets, the dtypes, the profile, the seed."""
    profile: Profile
    """The profile by which problems were drawn, with the seed that was used."""
    versions: Mapping[str, str]
    environment: Mapping[str, str | int]
    libraries: Mapping[str, Mapping[str, str]]
    """For each implementation, the version of each package that it is made with."""
    missing: Sequence[str] = ()
    """A sentence for each known implementation that could not be imported."""
    found_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each bare callable, what it answers and what it refuses, line by line."""
    diagnoses: Sequence[Diagnosis] = ()
    """The causes of the failures, as far as they are known."""
    undeclared: Sequence[str] = ()
    """A sentence for each feature that an implementation does not declare, and yet answers wrongly."""
    reproducers: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """By `Row.key`, the file that shows a failure, as seen from the folder of the reports."""

    @property
    def meaning(self) -> str:
        """The meaning of the exit code."""
        return MEANINGS.get(self.exit_code, "no exit code of this suite")

    @property
    def totals(self) -> dict[Verdict, int]:
        """The number of rows of each verdict, also of those that no row has."""
        verdicts = [row.verdict for row in self.rows]
        return {verdict: verdicts.count(verdict) for verdict in Verdict}

    @property
    def implementations(self) -> list[str]:
        """The names of what was verified."""
        return in_order(row.implementation for row in self.rows)

    @property
    def dtypes(self) -> list[str]:
        """The dtypes at which anything was verified."""
        return in_order(row.dtype for row in self.rows)

    def of(self, *verdicts: Verdict) -> list[Group]:
        """Return the rows of some verdicts, those of one property on one implementation together."""
        return grouped(row for row in self.rows if row.verdict in verdicts)


class Group(NamedTuple):
    """The rows of one property on one implementation, one for each dtype."""

    implementation: str
    law: str
    rows: list[Row]


def grouped(rows: Iterable[Row]) -> list[Group]:
    """Return the rows of one property on one implementation together."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.implementation, row.law), []).append(row)
    return [Group(implementation, law, of_one) for (implementation, law), of_one in groups.items()]


def reasons(rows: Iterable[Row], verdict: Verdict) -> dict[str, list[str]]:
    """Return the names of the laws with a verdict, by the reason that their rows give."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict is verdict and row.law not in found.setdefault(row.explanation, []):
            found[row.explanation].append(row.law)
    return found
