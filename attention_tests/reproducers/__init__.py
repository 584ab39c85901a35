"""Reproducers: a failure as a stand-alone program, to attach to an issue.

They are made after a verdict, by holding the law once more with a recorder in place of the executor. A literal expected
value with its bound would not do: most laws compare sums, parts and differences of answers, often with another answer,
and a program must tell whether the failure is still there where the last bits differ, on another machine or after a
change. So it computes what the law computed, which `traced` writes down.

This room imports the engine and the rooms below it, never expectations or reports.
"""

from __future__ import annotations

from attention_tests.engine.law import Drawn, Law
from attention_tests.engine.verdict import Outcome
from attention_tests.execution.failures import Disagreement, WrongForm
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned
from attention_tests.reproducers.header import comment
from attention_tests.reproducers.recorder import RecordedSubject
from attention_tests.reproducers.script import script
from attention_tests.text.literals import is_of_one_number

LONGEST = 2**20
"""What is longer cannot be attached to an issue."""
DIGITS = 3
"""The characters of a number and what separates it from the next, at least: what is too long is not written at all."""


@unwarned()
def reproducer(law: Law, subject: Subject, outcome: Outcome) -> str:
    """Return a program that shows how a subject breaks a law, or a comment that says why there is none.

    Empty where the outcome is no failure. The law is held once more: its verdict was given before, and does not depend
    on what happens here.
    """
    drawn = outcome.broken_on
    if drawn is None:
        return ""
    if why := _why_none(subject, drawn):
        return _none(why)
    try:
        recorded = RecordedSubject(subject)
        # Answers that are asked for once are not asked for again the second time, as in the search.
        failure = law.failure(recorded, drawn) or law.failure(recorded, drawn)
        if failure is None:
            return _none("called once more with the same problem, the implementation kept the law")
        if isinstance(failure, Disagreement) and not isinstance(failure, WrongForm) and failure.got is None:
            return _none(f"only the suite can see it ({failure.sentence})")
        text = script(law, subject, outcome.counterexample, recorded.recorder, failure)
        return text if len(text) <= LONGEST else _none(f"it would have {len(text)} characters")
    except Exception as error:  # noqa: BLE001 - a script that cannot be written must not take the verdict with it
        return _none(f"writing it raised {type(error).__name__}: {error}")


def _why_none(subject: Subject, drawn: Drawn) -> str:
    """Say why no program is tried, or nothing."""
    if not subject.implementation.target:
        return "it is not known where the implementation can be imported from"
    numbers = sum(array.size for array in getattr(drawn, "inputs", ()) if not is_of_one_number(array))
    return f"it would have more than {LONGEST} characters" if DIGITS * numbers > LONGEST else ""


def _none(why: str) -> str:
    return "\n".join([*comment(f"There is no program that shows this failure: {why}."), ""])
