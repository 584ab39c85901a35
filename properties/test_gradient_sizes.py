"""Gradients at the sizes and scores of real models: clauses `matrix`, `softmax` and `every-word`."""

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.gradients import assert_all_same_bits, assert_inside_bounds, expected_gradients, gradients
from properties.drawing.gradient_options import LOW_SCORES, REAL_HEADS, SEVERAL_BLOCKS
from properties.drawing.gradients import Backward

TIMES = 4
"""Calls beyond the first: an order that is drawn anew for each is unlikely to be the same one every time."""


@law("matrix", Step.GRADIENT, given=REAL_HEADS)
def test_gradients_are_right_at_the_widths_of_real_heads(subject: Subject, problem: Backward) -> None:
    """The gradients are right for heads as wide as those of models, 64 to 256, values narrower than keys among them."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("softmax", Step.GRADIENT, given=LOW_SCORES)
def test_gradients_are_right_where_all_scores_are_very_low(subject: Subject, problem: Backward) -> None:
    """The gradients are right where every score is so low that its exponential alone is zero."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, given=SEVERAL_BLOCKS)
def test_gradients_over_several_blocks_are_the_same_in_every_call(subject: Subject, problem: Backward) -> None:
    """The same call gives the same bits every time, however many blocks of queries and keys there are to sum over."""
    first = gradients(subject, problem)
    for _ in range(TIMES):
        assert_all_same_bits(subject.gradient(*problem.inputs, **problem.options), first)
