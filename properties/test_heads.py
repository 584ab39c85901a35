"""Grouped heads and arrays of size zero: clause `every-word`."""

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, assert_same_bits, expected
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, OptionChoices, problems

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


@law("every-word", Feature.EMPTY, Feature.LENGTHS, given=ANY_PROBLEM)
def test_zero_queries_give_an_empty_output(subject: Subject, problem: Problem) -> None:
    """Zero queries give an empty output of the right shape."""
    nobody = problem.query[..., :0, :]
    output = subject.attention(nobody, problem.key, problem.value)
    assert_same_bits(output, np.zeros((*nobody.shape[:-1], problem.value.shape[-1])))


@law("every-word", Feature.EMPTY, Feature.LENGTHS, given=ANY_PROBLEM)
def test_zero_keys_give_the_fully_masked_rows_of_the_dialect(subject: Subject, problem: Problem) -> None:
    """With zero keys, every row of the output is the fully masked row that the dialect declares."""
    none = problem.with_arrays(key=problem.key[..., :0, :], value=problem.value[..., :0, :])
    assert_inside_bound(answer(subject, none), expected(none, subject.precision))


@law("every-word", Feature.EMPTY, Feature.HEADS, given=ANY_PROBLEM)
def test_zero_batches_or_heads_give_an_empty_output(subject: Subject, problem: Problem) -> None:
    """Zero batches, or zero heads, give an empty output of the right shape."""
    for part in (np.s_[:0], np.s_[:, :0]):
        inputs = [array[part] for array in (problem.query, problem.key, problem.value)]
        assert_same_bits(subject.attention(*inputs), np.zeros((*inputs[0].shape[:-1], inputs[2].shape[-1])))


@law("every-word", Feature.EMPTY, Feature.VALUE_WIDTH, given=ANY_PROBLEM)
def test_values_of_width_zero_give_outputs_of_width_zero(subject: Subject, problem: Problem) -> None:
    """Values without columns give an output without columns."""
    output = subject.attention(problem.query, problem.key, problem.value[..., :0])
    assert_same_bits(output, np.zeros((*problem.query.shape[:-1], 0)))
