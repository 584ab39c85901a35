"""Clause `score`: the score of a word for another one is the dot product of a query and a key."""

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_equal, assert_inside_bound, expected
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM
from reference.bounds import error_bound


@law("score", Step.SCORE, given=ANY_PROBLEM)
def test_score_is_the_dot_product_of_query_and_key(subject: Subject, problem: Problem) -> None:
    """The score of word j for word i is the dot product of the query of i and the key of j."""
    bound = error_bound.score(problem.query, problem.key, dtype=problem.dtype, arithmetic=subject.precision)
    assert_inside_bound(subject.score(problem.query, problem.key), bound)


@law("score", Step.SCORE, given=ANY_PROBLEM)
def test_swapping_queries_and_keys_transposes_the_scores(subject: Subject, problem: Problem) -> None:
    """What word i scores for word j with query and key exchanged is what j scores for i."""
    bound = error_bound.score(problem.key, problem.query, dtype=problem.dtype, arithmetic=subject.precision)
    assert_inside_bound(subject.score(problem.query, problem.key).swapaxes(-1, -2), bound)


@law("score", given=ANY_PROBLEM)
def test_negating_queries_and_keys_changes_nothing(subject: Subject, problem: Problem) -> None:
    """The scores of negated queries and negated keys are the same scores, and so is the answer, exactly."""
    negated = subject.attention(-problem.query, -problem.key, problem.value)
    assert_equal(negated, answer(subject, problem), where=~expected(problem, subject.precision).vacuous)
