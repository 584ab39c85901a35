"""The decision about one law on one subject: by search, or by the failure that is known."""

from __future__ import annotations

from attention_tests.engine.explore import explore
from attention_tests.engine.law import Law
from attention_tests.engine.search import hold, hold_pinned
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from attention_tests.expectations.entries import KnownFailure
from attention_tests.expectations.replay import expect_failure
from attention_tests.pytest_plugin.run import Run


def decide(law: Law, subject: Subject, run: Run) -> Outcome:
    """Hold a subject against a law, in the way that the run asks for."""
    unverifiable = run.unverifiable.get(repr(subject))
    if unverifiable:
        return Outcome(Verdict.ERROR, unverifiable)
    if law.missing(subject):
        return hold(law, subject, run.profile)
    known, pinned = _known(law, subject, run), run.expectations.pinned(law.name)
    if known:
        return expect_failure(law, subject, known, run.profile, pinned)
    if run.exploration:
        return hold_pinned(law, subject, pinned) or explore(law, subject, run.exploration)
    return hold(law, subject, run.profile, pinned, shrinking=run.shrinking)


def is_explored(law: Law, subject: Subject, run: Run) -> bool:
    """Tell whether a run that explores has anything to explore here, which takes a share of its budget."""
    decided = (law.name, subject.implementation.name, subject.dtype) in run.decided
    return not (decided or law.missing(subject) or repr(subject) in run.unverifiable or _known(law, subject, run))


def _known(law: Law, subject: Subject, run: Run) -> KnownFailure | None:
    return run.expectations.known(subject.implementation.name, subject.dtype, law.name)
