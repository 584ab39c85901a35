"""Accuracy of the output: the bound derived from the declared precision, on every kind of values."""

from attention_tests import Precision
from attention_tests.engine.law import law
from attention_tests.engine.measurements import record_count
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.problem import Problem
from properties.drawing.streams import problems

SHORT_AND_LONG_PROBLEMS = problems(sometimes_long=True)
AMPLIFIER_PROBLEMS = problems(regimes=("amplifier",), overlays=("none",))


@law("matrix", given=SHORT_AND_LONG_PROBLEMS)
def test_every_element_is_inside_the_derived_bound(subject: Subject, problem: Problem) -> None:
    """Every element of the output is within the error bound derived from the declared precision."""
    for precision in Precision.ladder(subject.dtype):
        outside = ~expected(problem, precision).accepts(answer(subject, problem))
        record_count(f"outside {precision.name}", int(outside.sum()))
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", given=AMPLIFIER_PROBLEMS)
def test_tiny_outputs_are_relatively_accurate(subject: Subject, problem: Problem) -> None:
    """If the key with nearly all the weight has a value of zero, the small rest is still accurate."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))
