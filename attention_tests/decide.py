"""From a law and a subject to a verdict: by search, or as it is known to fail."""

from __future__ import annotations

import implementations
from attention_tests import known_failures
from attention_tests.law import Law
from attention_tests.run import Run
from attention_tests.search import expect_failure, hold
from attention_tests.subject import Subject
from attention_tests.verdict import Outcome, Verdict


def decide(law: Law, subject: Subject, run: Run) -> Outcome:
    """Hold a subject against a law, in the way that the run asks for."""
    unverifiable = run.unverifiable.get(repr(subject))
    if unverifiable:
        return Outcome(Verdict.ERROR, unverifiable)
    entries = known_failures.read(implementations.KNOWN_FAILURES)
    known = known_failures.about(entries, subject.implementation.name, subject.dtype, law.name)
    return expect_failure(law, subject, known, run.profile) if known else hold(law, subject, run.profile)
