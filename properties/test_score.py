"""Scores as dot products of queries and keys: clause `score`."""

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_equal, assert_inside_bound, expected
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM
from reference.bounds import step_bounds


@law("score", Step.SCORE, given=ANY_PROBLEM)
def test_score_is_the_dot_product_of_query_and_key(subject: Subject, problem: Problem) -> None:
    """The score of key j for query i is the dot product of query i and key j."""
    bound = step_bounds.score(problem.query, problem.key, roundings_of(subject.precision, problem.dtype))
    assert_inside_bound(subject.score(problem.query, problem.key), bound)


@law("score", given=ANY_PROBLEM)
def test_negating_queries_and_keys_changes_nothing(subject: Subject, problem: Problem) -> None:
    """Negating both queries and keys leaves the scores, and so the output, exactly the same."""
    negated = subject.attention(-problem.query, -problem.key, problem.value)
    assert_equal(negated, answer(subject, problem), where=~expected(problem, subject.precision).vacuous)
