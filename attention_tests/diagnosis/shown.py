"""The failure that is shown of each implementation: that of the simplest law that it breaks, shrunk, with a script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from attention_tests.declare.features import Step
from attention_tests.diagnosis.diagnosis import Broken, Diagnosis, diagnosed, together
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import read
from attention_tests.engine.profiles import Profile
from attention_tests.engine.row import Row
from attention_tests.engine.search import shrunk
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.reproducers import reproducer
from attention_tests.text.wording import legible, raised

FAILED = (Verdict.FAIL, Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT)
"""The verdicts of laws that are broken, those that tell most first."""


@dataclass(frozen=True)
class Failures:
    """The failures of a run in short."""

    diagnoses: tuple[Diagnosis, ...] = ()
    shown: tuple[Row, ...] = ()
    """One row of each implementation that breaks a law."""
    trouble: str = ""
    """The exception of the suite itself while it looked for the cause, in a sentence."""


def in_short(rows: Iterable[Row], subjects: Iterable[Subject], profile: Profile) -> Failures:
    """Return what explains the failures, and one of each implementation, shrunk."""
    laws = {law.name: law for law in all_laws()}
    of_subjects = {(subject.implementation.name, subject.dtype): subject for subject in subjects}
    failed: dict[str, list[Row]] = {}
    for row in rows:
        if row.verdict in FAILED and (row.implementation, row.dtype) in of_subjects:
            failed.setdefault(row.implementation, []).append(row)
    firsts = [min(of_one, key=lambda row: _complexity(row, laws)) for of_one in failed.values()]
    shown = [_shrunk(row, laws[row.law], of_subjects[row.implementation, row.dtype], profile) for row in firsts]
    diagnoses: list[Diagnosis] = []
    trouble = ""
    try:
        for of_one in failed.values():
            diagnoses += together(list(_diagnoses(of_one, of_subjects, laws, profile)))
    except Exception as error:  # noqa: BLE001 - the verdicts are known, and must not be lost
        trouble = f"the suite itself went wrong while it looked for the cause: {raised(error)}"
    return Failures(tuple(diagnoses), tuple(shown), trouble)


def _complexity(row: Row, laws: Mapping[str, Law]) -> tuple[int, bool, int, int]:
    """Return the rank of a failure: first those of attention itself, of few features, early in the document."""
    law = laws[row.law]
    features = len(law.features) + bool(law.any_of)
    return FAILED.index(row.verdict), law.steps != (Step.ATTENTION,), features, list(laws).index(law.name)


def _diagnoses(
    rows: list[Row], subjects: Mapping[tuple[str, str], Subject], laws: Mapping[str, Law], profile: Profile
) -> Iterator[Diagnosis]:
    for dtype in dict.fromkeys(row.dtype for row in rows):
        broken = list(_broken((row for row in rows if row.dtype == dtype), laws))
        found = diagnosed(subjects[rows[0].implementation, dtype], broken, profile) if broken else None
        if found is not None:
            yield found


def _broken(rows: Iterable[Row], laws: Mapping[str, Law]) -> Iterator[Broken]:
    for row in rows:
        if row.verdict is Verdict.FAIL and row.counterexample:
            yield laws[row.law], read(row.counterexample)


def _shrunk(row: Row, law: Law, subject: Subject, profile: Profile) -> Row:
    if not row.counterexample or row.reproducer:
        return row
    start = time.perf_counter()
    plan: Any = read(row.counterexample)
    outcome = shrunk(law, subject, profile, plan)
    return replace(
        row,
        explanation=legible(outcome.explanation),
        counterexample=outcome.counterexample,
        reproducer=reproducer(law, subject, outcome),
        seconds=row.seconds + time.perf_counter() - start,
    )
