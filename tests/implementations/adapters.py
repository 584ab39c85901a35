"""The adapters of the field in a test: where its library is not installed, the test is skipped, and says so."""

from __future__ import annotations

import pytest

from attention_tests.declare.implementation import Implementation
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import subjects_of
from attention_tests.guards.warnings import unwarned
from attention_tests.targets.resolve import shipped
from attention_tests.text.wording import BadTarget
from properties.checks.comparison import answer, expected
from properties.drawing.options import Options
from properties.drawing.plans import Plan


def loaded(name: str) -> Implementation:
    """Import an implementation, or skip the test that asks for it."""
    try:
        return shipped(name)
    except BadTarget as refused:
        pytest.skip(str(refused))


def subjects(name: str) -> list[Subject]:
    """Return an implementation at each of its dtypes, or skip the test that asks for it."""
    return subjects_of([loaded(name)])


def dtypes_outside_the_bound(name: str, options: Options) -> list[str]:
    """Return the dtypes at which what is asked for, with those of `options` that are declared, is answered wrongly.

    Where none of them is declared, the test is skipped: it would be that of no options once more.
    """
    if options != Options() and options.supported_by(loaded(name).features) == Options():
        pytest.skip(f"{name} declares none of {', '.join(sorted(options.needs))}")
    plan = Plan(batch=2, heads=2, queries=5, keys=5, d_k=3, d_v=3, regimes=("normal",), seed=1, options=options)
    return [subject.dtype for subject in subjects(name) if not _answers(subject, plan)]


def _answers(subject: Subject, plan: Plan) -> bool:
    problem = plan.build(subject.dtype, subject.features, subject.implementation.dialect)
    with unwarned():
        output = answer(subject, problem)
    return bool(expected(problem, subject.precision).accepts(output).all())
