"""Hold an implementation against a law that it is known to break: the stored problem comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import read
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import failure_on, hold, that_break
from attention_tests.engine.verdict import Outcome, Verdict, verdict_of
from attention_tests.execution.failures import Failure
from attention_tests.execution.subject import Subject
from attention_tests.expectations.entries import KnownFailure
from attention_tests.guards.warnings import unwarned


@unwarned()
def expect_failure(
    law: Law, subject: Subject, known: KnownFailure, profile: Profile, pinned: tuple[Any, ...] = ()
) -> Outcome:
    """Expect the failure that is known, on the problem that is stored with it: nothing is searched for or shrunk.

    If it is not there any more, or is another one, the law is held as any other: what breaks it then was not known.
    """
    stored = (read(known.counterexample),) if known.counterexample else ()
    failure = failure_on(law, subject, stored[0]) if stored else _first(law, subject, profile, pinned)
    if failure is not None and verdict_of(failure) == known.finding.verdict:
        return Outcome(Verdict.EXPECTED_FAILURE, known.finding.explanation, counterexample=known.counterexample)
    outcome = hold(law, subject, profile, (*stored, *pinned))
    if outcome.verdict is Verdict.PASS:
        sentence = f"{subject} keeps a law that it is known to break ({known.finding.explanation}): take it out"
        return replace(outcome, verdict=Verdict.UNEXPECTED_PASS, explanation=sentence)
    return replace(outcome, explanation=f"{_not_the_known(subject, known, failure)}\n\n{outcome.explanation}")


def _first(law: Law, subject: Subject, profile: Profile, pinned: tuple[Any, ...]) -> Failure | None:
    plan = next(that_break(law, subject, profile, pinned), None)
    return plan and failure_on(law, subject, plan)


def _not_the_known(subject: Subject, known: KnownFailure, failure: Failure | None) -> str:
    about = f"{subject} is known to break this law ({known.finding.explanation})"
    if failure is None:
        return (
            f"{about}, and the problem stored for that passes now: but another one breaks it, perhaps for another "
            "reason. --update-expectations would store that one."
        )
    return f"{about} with the verdict {known.finding.verdict}, and what it does now is another: {verdict_of(failure)}."
