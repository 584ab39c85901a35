"""Axes of size zero end in an empty answer, in the dialect's row or in a refusal: clause `every-word`."""

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, FullyMasked, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_equal,
    assert_inside_bound,
    assert_same_bits,
    expected,
    expected_lse,
)
from properties.checks.gradients import expected_gradients
from properties.drawing.emptied import AXES, Emptied, to_be_emptied, to_be_emptied_backward
from properties.drawing.gradients import Backward, Gradients
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

HIDING = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW})
FEW_PROBLEMS = replace(ANY_PROBLEM, at_most=25)
DECLARED = "kqbhvt"
"""The axes that `Feature.EMPTY` declares."""


@law("every-word", Feature.EMPTY, Feature.LENGTHS, given=FEW_PROBLEMS)
def test_zero_queries_give_an_empty_output(subject: Subject, problem: Problem) -> None:
    """Zero queries give an empty output of the right shape."""
    nobody = problem.query[..., :0, :]
    output = subject.attention(nobody, problem.key, problem.value)
    assert_same_bits(output, np.zeros((*nobody.shape[:-1], problem.value.shape[-1])))


@law("every-word", Feature.EMPTY, Feature.LENGTHS, given=FEW_PROBLEMS)
def test_zero_keys_give_the_fully_masked_rows_of_the_dialect(subject: Subject, problem: Problem) -> None:
    """With zero keys, every row of the output is the row that the dialect declares for queries that see nothing."""
    none = problem.with_arrays(key=problem.key[..., :0, :], value=problem.value[..., :0, :])
    assert_inside_bound(answer(subject, none), expected(none, subject.precision))


@law("every-word", Feature.EMPTY, Feature.HEADS, given=FEW_PROBLEMS)
def test_zero_batches_or_heads_give_an_empty_output(subject: Subject, problem: Problem) -> None:
    """Zero batches, or zero heads, give an empty output of the right shape."""
    for part in (np.s_[:0], np.s_[:, :0]):
        inputs = [array[part] for array in (problem.query, problem.key, problem.value)]
        assert_same_bits(subject.attention(*inputs), np.zeros((*inputs[0].shape[:-1], inputs[2].shape[-1])))


@law("every-word", Feature.EMPTY, Feature.VALUE_WIDTH, given=FEW_PROBLEMS)
def test_values_of_width_zero_give_outputs_of_width_zero(subject: Subject, problem: Problem) -> None:
    """Values without columns give an output without columns."""
    output = subject.attention(problem.query, problem.key, problem.value[..., :0])
    assert_same_bits(output, np.zeros((*problem.query.shape[:-1], 0)))


@law("every-word", Feature.EMPTY, HIDING, given=to_be_emptied(DECLARED))
def test_an_option_works_with_an_axis_of_size_zero(subject: Subject, problem: Problem) -> None:
    """With a mask, a bias, causality or a window, an axis of size zero gives the answer that it gives without."""
    empty = Emptied.of(problem, subject.features)
    assert_right(subject, empty, subject.attention(*empty.given.inputs, **empty.given.options))


@law("softmax", Feature.EMPTY, Feature.LOG_SUM_EXP, given=to_be_emptied(DECLARED))
def test_the_log_sum_exp_of_no_keys_is_minus_infinity_and_of_no_queries_empty(
    subject: Subject, problem: Problem
) -> None:
    """The log-sum-exp is empty where there is no row, and -∞ where a row has no keys."""
    empty = Emptied.of(problem, subject.features)
    output, lse = subject.attention_and_lse(*empty.given.inputs, **empty.given.options)
    assert_right(subject, empty, output)
    if lse.size:
        assert_inside_bound(lse, expected_lse(empty.alike, subject.precision))


@law("every-word", Step.GRADIENT, Feature.EMPTY, given=to_be_emptied_backward(DECLARED))
def test_gradients_of_an_axis_of_size_zero_are_empty_or_zero(subject: Subject, problem: Backward) -> None:
    """The gradients of an empty input are empty, and no gradient flows where there is no output, key or value."""
    empty = Emptied.of(problem, subject.features)
    assert_right_gradients(subject, empty, Gradients(*subject.gradient(*empty.given.inputs, **empty.given.options)))


@law("every-word", given=to_be_emptied(AXES))
def test_an_axis_of_size_zero_is_answered_or_refused(subject: Subject, problem: Problem) -> None:
    """An axis of size zero gives the right answer, or raises: it ends no process, and gives no wrong answer."""
    empty = Emptied.of(problem, subject.features)
    output = subject.unless_refused(lambda: subject.attention(*empty.given.inputs, **empty.given.options))
    if output is not None:
        assert_right(subject, empty, output)


@law("every-word", Step.GRADIENT, given=to_be_emptied_backward(AXES))
def test_gradients_of_an_axis_of_size_zero_are_answered_or_refused(subject: Subject, problem: Backward) -> None:
    """An axis of size zero gives the right gradients, or raises: it ends no process, and gives no wrong gradients."""
    empty = Emptied.of(problem, subject.features)
    found = subject.unless_refused(lambda: subject.gradient(*empty.given.inputs, **empty.given.options))
    if found is not None:
        assert_right_gradients(subject, empty, Gradients(*found))


def assert_right(subject: Subject, empty: Emptied[Problem], output: Array) -> None:
    """Raise `Disagreement` unless an output, whose shape is right, has the numbers that it should have."""
    if is_undeclared(subject, empty):
        assert_zero_or_nan(output)
    elif output.size and empty.is_defined:
        assert_inside_bound(output, expected(empty.alike, subject.precision))


def assert_right_gradients(subject: Subject, empty: Emptied[Backward], found: Gradients) -> None:
    """Raise `Disagreement` unless gradients, whose shapes are right, have the numbers that they should have."""
    if empty.axis == "d":
        if empty.is_defined and found.value.size:
            assert_inside_bound(found.value, expected_gradients(empty.alike, subject.precision).value)
    elif is_undeclared(subject, empty) or (empty.sees_nothing and not has_zeros_for_nothing(subject)):
        assert_zero_or_nan(found.query)
    else:
        for name, one in zip(Gradients._fields, found, strict=True):
            assert_equal(one, np.zeros(()), of=f"of the {name}'s gradient")


def is_undeclared(subject: Subject, empty: Emptied[Any]) -> bool:
    """Tell whether queries see nothing, and nothing is declared of that: a sum of nothing is 0, or 0 / 0."""
    return empty.sees_nothing and (empty.axis not in DECLARED or Feature.EMPTY not in subject.features)


def has_zeros_for_nothing(subject: Subject) -> bool:
    """Tell whether the output of a query that sees no key is constant, so that no gradient flows through it."""
    return subject.implementation.dialect.unseen_row(keys=0) is FullyMasked.ZEROS


def assert_zero_or_nan(numbers: Array) -> None:
    """Raise `Disagreement` unless all numbers are 0 or NaN."""
    assert_equal(np.where(np.isnan(numbers), 0.0, numbers), np.zeros(()))
