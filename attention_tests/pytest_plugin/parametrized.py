"""The laws as parameters of one test function of pytest."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from attention_tests.claims.finding import found_out
from attention_tests.declare.implementation import Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.drawing import caveat
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import PROFILES, profile_named
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import subjects_of, trial
from attention_tests.expectations.book import Book
from attention_tests.expectations.entries import BadExpectations, Expectations
from attention_tests.guards.warnings import unwarned
from attention_tests.pytest_plugin.decide import decide
from attention_tests.pytest_plugin.registration import hand_in
from attention_tests.pytest_plugin.run import Run
from attention_tests.targets.resolve import implementation_of, resolve
from attention_tests.text.wording import BadTarget, unknown

Test = Callable[..., None]


def test_of(
    target: Any, profile: str, dtypes: tuple[str, ...], expectations: str, place: Callable[[Test], Test]
) -> Test:
    """Return a test function with a law and a subject as its parameters, which `place` puts where it belongs.

    Raises BadTarget with one sentence.
    """
    hand_in()
    if profile not in PROFILES:
        raise BadTarget(f"profile: {unknown(profile, PROFILES)}")
    if caveat():
        warnings.warn(caveat(), stacklevel=3)
    found = resolve(target) if isinstance(target, str) else implementation_of(target, _name_of(target))
    run = Run(profile_named(profile), subjects_of([found], dtypes))
    if expectations:
        run.expectations = _expected(expectations, found)
    claimed = cache(partial(_claimed, found))
    cases = [
        pytest.param(law, subject, id=f"{law.name.removeprefix('test_')}-{subject.dtype}")
        for law in all_laws()
        for subject in run.subjects
    ]
    return pytest.mark.parametrize(("law", "subject"), cases)(
        place(lambda law, subject: _hold(law, subject, run, claimed))
    )


def _expected(file: str, implementation: Implementation) -> Expectations:
    try:
        return Book.open(file, updating=False).sound([implementation], updating=False)
    except BadExpectations as error:
        raise BadTarget(f"expectations: {error}") from None


def _claimed(given: Implementation) -> Mapping[str, Subject]:
    """Return a bare callable at each dtype that it answers; nothing where it declares itself, or answers nothing."""
    claims = found_out(given)
    return {subject.dtype: subject for subject in subjects_of([claims.implementation])} if claims else {}


def _hold(law: Law, subject: Subject, run: Run, claimed: Callable[[], Mapping[str, Subject]]) -> None:
    __tracebackhide__ = True
    # Whoever lets NumPy raise in tests of theirs means their own numbers.
    with np.errstate(all="warn"), unwarned():
        answers = claimed()
        if answers and subject.dtype not in answers:
            end_as(Verdict.UNSUPPORTED, f"{subject.implementation.name} answers {', '.join(answers)} alone")
        asked = answers.get(subject.dtype, subject)
        if repr(asked) not in run.unverifiable:
            run.unverifiable[repr(asked)] = "" if answers else trial(asked)
        outcome = decide(law, asked, run)
    end_as(outcome.verdict, outcome.explanation)


def end_as(verdict: Verdict, explanation: str) -> None:
    """End a test of pytest as a verdict says, in words of ours and without a traceback."""
    __tracebackhide__ = True
    if verdict is Verdict.UNSUPPORTED:
        pytest.skip(explanation)
    if verdict is Verdict.EXPECTED_FAILURE:
        pytest.xfail(explanation)
    if verdict is not Verdict.PASS:
        pytest.fail(explanation, pytrace=False)


def _name_of(target: Any) -> str:
    named = target if hasattr(target, "__qualname__") else type(target)
    return f"{named.__module__}:{named.__qualname__}"
