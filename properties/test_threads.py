"""Concurrent calls: clause `every-word`."""

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_same_bits
from properties.drawing.claims import only
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem

LENGTHS = (1, 2, 3, 5, 9, 17, 33, 65)
# Few problems, since threads cost more than calls.
A_FEW_PROBLEMS = only(
    *(Plan(batch=2, heads=2, queries=n, keys=n, d_k=4, d_v=4, regimes=("normal",), seed=n) for n in LENGTHS)
)


@law("every-word", Feature.THREADS, given=A_FEW_PROBLEMS)
def test_concurrent_calls_do_not_affect_each_other(subject: Subject, problem: Problem) -> None:
    """Concurrent calls from several threads give the same bits as calls one after the other."""
    at_once = [problem, problem.with_other_numbers()] * 4
    outputs = subject.attention_at_once([(one.query, one.key, one.value) for one in at_once])
    assert_same_bits(np.stack(outputs), np.stack([answer(subject, one) for one in at_once]))
