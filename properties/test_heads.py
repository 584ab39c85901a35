"""Grouped heads: clause `every-word`."""

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.problem import Problem
from properties.drawing.streams import OptionChoices, problems

PROBLEMS_WITH_GROUPED_HEADS = problems(options=OptionChoices(groups=(2, 3, 4)))
PROBLEMS_WITH_ONE_KEY_HEAD = problems(options=OptionChoices(groups=(2, 3, 4)), batches_and_heads=((1, 1), (2, 1)))


@law("every-word", Feature.HEADS, Feature.GROUPED_HEADS, given=PROBLEMS_WITH_GROUPED_HEADS)
def test_query_heads_of_a_group_share_a_key_head(subject: Subject, problem: Problem) -> None:
    """Query head h reads key head h // group: key heads count as repeated, not as tiled."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.HEADS, Feature.GROUPED_HEADS, given=PROBLEMS_WITH_ONE_KEY_HEAD)
def test_one_key_head_can_serve_all_query_heads(subject: Subject, problem: Problem) -> None:
    """With a single key head, every query head reads it."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))
