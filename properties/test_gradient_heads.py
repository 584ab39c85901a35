"""Gradients of grouped heads: clause `every-word`."""

from dataclasses import replace

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.gradients import assert_inside_bounds, expected_gradients
from properties.drawing.gradients import Backward, gradient_problems
from properties.drawing.streams import OptionChoices, problems

GRADIENT_PROBLEMS_WITH_GROUPED_HEADS = gradient_problems(problems(options=OptionChoices(groups=(2, 3, 4))))


@law("every-word", Step.GRADIENT, Feature.GROUPED_HEADS, given=GRADIENT_PROBLEMS_WITH_GROUPED_HEADS)
def test_a_shared_key_head_receives_the_gradient_of_every_query_head(subject: Subject, problem: Backward) -> None:
    """If one query head of each group has an upstream gradient, its key head receives that head's whole gradient."""
    asking = np.s_[:, problem.random.integers(problem.group) :: problem.group]
    alone = replace(problem, query=problem.query[asking], upstream=problem.upstream[asking])
    upstream = np.zeros_like(problem.upstream)
    upstream[asking] = alone.upstream
    query, key, value = subject.gradient(problem.query, problem.key, problem.value, upstream)
    assert_inside_bounds((query[asking], key, value), expected_gradients(alone, subject.precision))
