"""Values multiplied by their weights, and summed: clauses `weigh` and `sum`."""

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
    moved,
    picked,
)
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, problems
from reference.bounds import step_bounds

PROBLEMS_OF_SMALL_INTEGERS = problems(regimes=("iota", "small integers"), overlays=("none",))


@law("weigh", Step.WEIGH, given=ANY_PROBLEM)
def test_each_value_vector_is_multiplied_by_its_weight(subject: Subject, problem: Problem) -> None:
    """A weighted value is the whole value vector times its one weight."""
    bound = step_bounds.weigh(problem.weights, problem.value, roundings_of(subject.precision, problem.dtype))
    assert_inside_bound(subject.weigh(problem.weights, problem.value), bound)


@law("weigh", given=ANY_PROBLEM)
def test_a_weight_multiplies_the_whole_value_vector(subject: Subject, problem: Problem) -> None:
    """All components of a value get the same weight: reordering the components reorders those of the output."""
    order = problem.random.permutation(problem.value.shape[-1])
    output = subject.attention(problem.query, problem.key, problem.value[..., order])
    assert_inside_bound(output, picked(expected(problem, subject.precision), (..., order)))


@law("sum", Step.SUM, given=ANY_PROBLEM)
def test_weighted_values_are_summed_over_the_keys(subject: Subject, problem: Problem) -> None:
    """The output of a query is the sum of its weighted values."""
    bound = step_bounds.sum_values(problem.weighted_values, roundings_of(subject.precision, problem.dtype))
    assert_inside_bound(subject.sum(problem.weighted_values), bound)


@law("sum", given=PROBLEMS_OF_SMALL_INTEGERS)
def test_output_is_linear_in_the_values(subject: Subject, problem: Problem) -> None:
    """The output for a sum of values is the sum of the outputs."""
    other = problem.with_arrays(value=problem.value[..., ::-1, :] - 1)
    both = problem.with_arrays(value=problem.value + other.value)
    one, two = expected(problem, subject.precision), expected(other, subject.precision)
    bound = moved(expected(both, subject.precision), one.value + two.value, one.radius + two.radius)
    assert_inside_bound(answer(subject, both), bound)


@law("sum", given=ANY_PROBLEM)
def test_output_lies_within_the_range_of_the_values(subject: Subject, problem: Problem) -> None:
    """No component of the output leaves the range of that component over the values."""
    slack = expected(problem, subject.precision).tolerance
    assert_at_least(answer(subject, problem), problem.value.min(axis=-2, keepdims=True), slack)
    assert_at_most(answer(subject, problem), problem.value.max(axis=-2, keepdims=True), slack)


@law("sum", given=ANY_PROBLEM)
def test_equal_values_pass_through_unchanged(subject: Subject, problem: Problem) -> None:
    """If all keys have the same value, every output is that value."""
    first = problem.value[..., :1, :]
    alike = problem.with_arrays(value=np.broadcast_to(first, problem.value.shape))
    assert_inside_bound(answer(subject, alike), moved(expected(alike, subject.precision), first))
