"""Independence of queries, batches and heads, and the packed shape: clauses `every-word` and `pack`."""

from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_inside_bound,
    assert_same_bits,
    expected,
    expected_of_sentence,
    picked,
)
from properties.drawing.problem import Problem, Sentence
from properties.drawing.streams import ANY_PROBLEM, DOCUMENT_SENTENCES, PROBLEMS_WITH_SEVERAL_BATCHES, problems

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

PROBLEMS_WITH_SEVERAL_HEADS = problems(batches_and_heads=((1, 2), (1, 3), (2, 3), (1, 4)))


@law("every-word", Feature.LENGTHS, given=ANY_PROBLEM)
def test_a_single_query_gives_its_row_of_the_output(subject: Subject, problem: Problem) -> None:
    """A single query gives its row of the whole output."""
    token = [problem.random.integers(problem.query.shape[-2])]
    alone = subject.attention(problem.query[..., token, :], problem.key, problem.value)
    assert_inside_bound(alone, picked(expected(problem, subject.precision), (..., token, slice(None))))


@law("every-word", given=ANY_PROBLEM)
def test_a_row_does_not_depend_on_the_other_queries(subject: Subject, problem: Problem) -> None:
    """The output of a query does not depend on the other queries."""
    token = [problem.random.integers(problem.query.shape[-2])]
    others = -problem.query[..., ::-1, :]
    others[..., token, :] = problem.query[..., token, :]
    output = subject.attention(others, problem.key, problem.value)
    row = (..., token, slice(None))
    assert_inside_bound(output[row], picked(expected(problem, subject.precision), row))


@law("every-word", given=ANY_PROBLEM)
def test_reordering_queries_reorders_outputs(subject: Subject, problem: Problem) -> None:
    """Queries in another order give the same outputs in that order."""
    order = problem.random.permutation(problem.query.shape[-2])
    output = subject.attention(problem.query[..., order, :], problem.key, problem.value)
    assert_inside_bound(output, picked(expected(problem, subject.precision), (..., order, slice(None))))


@law("every-word", Feature.HEADS, given=PROBLEMS_WITH_SEVERAL_BATCHES)
def test_reordering_batches_reorders_outputs_exactly(subject: Subject, problem: Problem) -> None:
    """Batches are independent: in another order they give the same bits in that order."""
    order = problem.random.permutation(problem.query.shape[0])
    output = subject.attention(problem.query[order], problem.key[order], problem.value[order])
    assert_in_order(subject, problem, output, (order,))


@law("every-word", Feature.HEADS, given=PROBLEMS_WITH_SEVERAL_HEADS)
def test_reordering_heads_reorders_outputs_exactly(subject: Subject, problem: Problem) -> None:
    """Heads are independent: in another order they give the same bits in that order."""
    order = problem.random.permutation(problem.query.shape[1])
    output = subject.attention(problem.query[:, order], problem.key[:, order], problem.value[:, order])
    assert_in_order(subject, problem, output, (slice(None), order))


def assert_in_order(subject: Subject, problem: Problem, output: Array, order: tuple[Any, ...]) -> None:
    """Raise `Disagreement` unless these are the outputs in another order: to the bit, unless nothing is declared."""
    if subject.implementation.refuses:
        # A bare callable may be made of operations over all heads, which compute what is left of a vector differently.
        assert_inside_bound(output, picked(expected(problem, subject.precision), order))
    else:
        assert_same_bits(output, answer(subject, problem)[order])


@law("pack", given=ANY_PROBLEM)
def test_output_has_a_row_per_query_as_wide_as_the_values(subject: Subject, problem: Problem) -> None:
    """The output has a row for every query, as wide as the values, with every column in its place."""
    numbered = np.arange(problem.value.shape[-1]) - problem.value.shape[-1] // 2
    packed = problem.with_arrays(value=np.broadcast_to(numbered, problem.value.shape))
    assert_inside_bound(answer(subject, packed), expected(packed, subject.precision))


@law("pack", Step.SELF_ATTENTION, given=DOCUMENT_SENTENCES)
def test_ten_tokens_of_width_four_give_ten_outputs_of_width_three(subject: Subject, sentence: Sentence) -> None:
    """If X is 10 by 4 and the matrices are 4 by 3, then Q, K, V and the output are 10 by 3."""
    output = subject.self_attention(sentence.x, sentence.w_query, sentence.w_key, sentence.w_value)
    assert_inside_bound(output, expected_of_sentence(sentence, subject.precision))
