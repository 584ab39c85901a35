"""Every two circumstances of a call, and three of some: clause `matrix`.

A kernel decides by its shapes, its options and the strides of its inputs, and breaks where two of them meet. The
covering table has a call for every such meeting (docs/explanation/generation.md#circumstances).
"""

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    answer_and_lse,
    assert_equal,
    assert_inside_bound,
    expected,
    expected_lse,
)
from properties.checks.exact import assert_gathered, assert_scattered
from properties.checks.gradients import assert_inside_bounds, expected_gradients, gradients
from properties.drawing.covering_streams import (
    BACKWARD_ROWS,
    BACKWARD_ROWS_OF_SIGNED_SCALES,
    ROWS,
    ROWS_OF_SCORES,
    ROWS_OF_SIGNED_SCALES,
)
from properties.drawing.exact import Gather
from properties.drawing.gradients import Backward
from properties.drawing.problem import Problem
from properties.drawing.scatter import Scatter


def assert_output(subject: Subject, problem: Problem) -> None:
    """Raise `Disagreement` unless the output is right: to the bit where each query asks for one key."""
    if isinstance(problem, Gather):
        assert_gathered(answer(subject, problem), problem)
    else:
        assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


def assert_gradients(subject: Subject, problem: Backward) -> None:
    """Raise `Disagreement` unless the gradients are right: that of the value to the bit where queries ask for keys."""
    if isinstance(problem, Scatter):
        assert_scattered(gradients(subject, problem).value, problem)
    else:
        assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("matrix", given=ROWS)
def test_the_output_is_right_in_all_circumstances(subject: Subject, problem: Problem) -> None:
    """The output is right wherever two circumstances meet: sizes, heads, memory, options and kinds of numbers."""
    assert_output(subject, problem)


@law("scale", Feature.SCALE, given=ROWS_OF_SIGNED_SCALES)
def test_a_scale_of_zero_or_below_is_right_in_all_circumstances(subject: Subject, problem: Problem) -> None:
    """The output under a scale of zero or below is right wherever it meets another circumstance."""
    assert_output(subject, problem)


@law("softmax", Feature.LOG_SUM_EXP, given=ROWS_OF_SCORES)
def test_the_log_sum_exp_is_right_in_all_circumstances(subject: Subject, problem: Problem) -> None:
    """The log-sum-exp is right wherever two circumstances meet: sizes, heads, memory, options and kinds of numbers."""
    _, lse = answer_and_lse(subject, problem)
    if isinstance(problem, Gather):
        assert_equal(lse, problem.asked * 0.0, where=problem.asked >= 0)
    else:
        assert_inside_bound(lse, expected_lse(problem, subject.precision))


@law("matrix", Step.GRADIENT, given=BACKWARD_ROWS)
def test_the_gradients_are_right_in_all_circumstances(subject: Subject, problem: Backward) -> None:
    """The gradients are right wherever two circumstances meet: sizes, heads, memory, options and kinds of numbers."""
    assert_gradients(subject, problem)


@law("scale", Step.GRADIENT, Feature.SCALE, given=BACKWARD_ROWS_OF_SIGNED_SCALES)
def test_gradients_under_a_scale_of_zero_or_below_are_right_in_all_circumstances(
    subject: Subject, problem: Backward
) -> None:
    """The gradients under a scale of zero or below are right wherever it meets another circumstance."""
    assert_gradients(subject, problem)
