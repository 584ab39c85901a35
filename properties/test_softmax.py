"""Scores of a query turned into a distribution over the keys: clause `softmax`."""

import numpy as np

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_at_least,
    assert_at_most,
    assert_inside_bound,
    expected,
    expected_weights,
    moved,
    weights,
)
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, problems
from reference.bounds import step_bounds

INTEGER_PROBLEMS = problems(regimes=("iota", "small integers"), overlays=("none", "tied rows"))
PROBLEMS_WITH_HUGE_SCORES = problems(regimes=("huge logits", "large", "logits x 60", "common offset"))


@law("softmax", given=ANY_PROBLEM)
def test_weights_are_never_negative(subject: Subject, problem: Problem) -> None:
    """No weight is below zero."""
    seen = weights(subject, problem)
    vacuous = expected_weights(subject, problem).vacuous
    assert_at_least(seen, np.zeros(()), np.where(vacuous, np.inf, 0))


@law("softmax", given=ANY_PROBLEM)
def test_weights_of_a_query_sum_to_one(subject: Subject, problem: Problem) -> None:
    """The weights of a query over all keys sum to one."""
    total = weights(subject, problem).sum(axis=-1)
    slack = expected_weights(subject, problem).tolerance.sum(axis=-1)
    assert_at_least(total, np.ones(()), slack)
    assert_at_most(total, np.ones(()), slack)


@law("softmax", given=INTEGER_PROBLEMS)
def test_adding_one_vector_to_every_key_changes_nothing(subject: Subject, problem: Problem) -> None:
    """Adding one vector to every key raises all scores of a query by the same number, and changes nothing."""
    shift = problem.random.integers(-3, 4, problem.d_k)
    raised = problem.with_arrays(key=problem.key + shift)
    original = expected(problem, subject.precision)
    bound = moved(expected(raised, subject.precision), original.value, original.radius)
    assert_inside_bound(answer(subject, raised), bound)


@law("softmax", given=ANY_PROBLEM)
def test_a_higher_score_never_gets_a_lower_weight(subject: Subject, problem: Problem) -> None:
    """Of two keys, the one with the higher score never gets the lower weight."""
    oracle = expected_weights(subject, problem)
    order = np.argsort(oracle.value, axis=-1)
    seen, slack = (np.take_along_axis(array, order, -1) for array in (weights(subject, problem), oracle.tolerance))
    assert_at_least(seen[..., 1:], seen[..., :-1], slack[..., 1:] + slack[..., :-1])


@law("softmax", given=PROBLEMS_WITH_HUGE_SCORES)
def test_huge_scores_give_finite_weights(subject: Subject, problem: Problem) -> None:
    """Scores far beyond the range of exp give finite weights and the right output."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", Step.SOFTMAX, given=ANY_PROBLEM)
def test_softmax_normalises_the_exponentials(subject: Subject, problem: Problem) -> None:
    """A weight is the exponential of its score, divided by the sum of all exponentials."""
    bound = step_bounds.softmax(problem.scaled_scores, roundings_of(subject.precision, problem.dtype))
    assert_inside_bound(subject.softmax(problem.scaled_scores), bound)
