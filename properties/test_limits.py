"""Limits of the softmax: one key, equal scores, one dominant score, ties (clause `softmax`)."""

import numpy as np

from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_at_least,
    assert_inside_bound,
    expected,
    expected_weights,
    moved,
    weights,
)
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, problems

PROBLEMS_WITH_ONE_KEY = problems(keys=(1,))


@law("softmax", given=PROBLEMS_WITH_ONE_KEY)
def test_a_single_key_returns_its_value(subject: Subject, problem: Problem) -> None:
    """With a single key, every output is its value."""
    # Of more keys, where an implementation takes no single one, this is a call that it does not take.
    single = problem.with_arrays(key=problem.key[..., :1, :], value=problem.value[..., :1, :])
    assert_inside_bound(answer(subject, single), moved(expected(single, subject.precision), single.value))


@law("softmax", given=ANY_PROBLEM)
def test_queries_of_zero_return_the_mean_of_the_values(subject: Subject, problem: Problem) -> None:
    """A query of zeros scores all keys equally: its output is the mean of the values."""
    indifferent = problem.with_arrays(query=np.zeros_like(problem.query))
    mean = problem.value.mean(axis=-2, keepdims=True)
    assert_inside_bound(answer(subject, indifferent), moved(expected(indifferent, subject.precision), mean))


@law("softmax", given=ANY_PROBLEM)
def test_a_dominant_score_returns_its_value(subject: Subject, problem: Problem) -> None:
    """If one score is far above all others, the output is the value of that key."""
    winner = problem.random.integers(problem.key.shape[-2])
    key = np.full_like(problem.key, -64)
    key[..., winner, :] = 64
    decided = problem.with_arrays(query=np.full_like(problem.query, 64), key=key)
    winning = problem.value[..., winner : winner + 1, :]
    assert_inside_bound(answer(subject, decided), moved(expected(decided, subject.precision), winning))


@law("softmax", given=ANY_PROBLEM)
def test_equal_keys_get_equal_weights(subject: Subject, problem: Problem) -> None:
    """Two equal keys get equal weights."""
    n_k = problem.key.shape[-2]
    one, other = problem.random.integers(0, n_k, 2)
    key = problem.key.copy()
    key[..., other, :] = key[..., one, :]
    tied = problem.with_arrays(key=key)
    seen, slack = weights(subject, tied), expected_weights(subject, tied).tolerance
    assert_at_least(seen[..., one], seen[..., other], slack[..., one] + slack[..., other])
    assert_at_least(seen[..., other], seen[..., one], slack[..., one] + slack[..., other])
