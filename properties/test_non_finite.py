"""NaN and ∞ in values reach the outputs that weigh them, and no others: clause `sum`."""

from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound, expected, expected_weights, moved
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, OptionChoices, problems
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

PROBLEMS_WITH_A_MASK = problems(
    options=OptionChoices(masks=("most", "triangle", "padding", "one", "few", "fully masked rows"))
)
PROBLEMS_WITH_KEYS_HIDDEN_BY_A_BIAS = problems(
    options=OptionChoices(biases=("minus infinity",), axes=("111k", "b11k", "bh1k", "1k"))
)


def non_finite_values(problem: Problem, *numbers: float) -> Array:
    """Return values of 0 with each of `numbers` in the first component of a random token."""
    array, random = np.zeros_like(problem.value), problem.random
    for number in numbers:
        array[..., random.integers(problem.value.shape[-2]), 0] = number
    return array


def as_projected(subject: Subject, words: Array) -> Array:
    """Return the values with NaN in every component of a token that has a non-finite one, if a layer projects them."""
    if not subject.implementation.dialect.projected:
        return words
    return np.where(np.isfinite(words).all(axis=-1, keepdims=True), words, np.nan)


def expected_with_non_finite_values(added: Array, subject: Subject, problem: Problem) -> Interval:
    """Return the expected output with NaN or ∞ added to values: vacuous where their weight may round to 0."""
    added = as_projected(subject, added)
    weights, plain = expected_weights(subject, problem), expected(problem, subject.precision)
    weighed = weights.value > weights.tolerance
    total = np.where(weighed[..., None], added[..., None, :, :], 0).sum(axis=-2)
    return moved(plain, plain.value + total, np.where((problem.seen & ~weighed) @ (added != 0), np.inf, 0))


@law("sum", given=ANY_PROBLEM)
def test_a_non_finite_value_reaches_every_output_that_weighs_it(subject: Subject, problem: Problem) -> None:
    """NaN or ∞ in a value component reaches that component, and no other, of every output that weighs it."""
    added = non_finite_values(problem, problem.random.choice((np.nan, np.inf, -np.inf)))
    output = subject.attention(problem.query, problem.key, problem.value + added)
    assert_inside_bound(as_projected(subject, output), expected_with_non_finite_values(added, subject, problem))


@law("sum", Feature.MASK, Feature.NON_FINITE, given=PROBLEMS_WITH_A_MASK)
def test_a_non_finite_value_does_not_reach_queries_it_is_masked_from(subject: Subject, problem: Problem) -> None:
    """NaN in a value reaches no query that the value is masked from, even if other queries attend to it."""
    added = non_finite_values(problem, np.inf, np.nan)
    output = subject.attention(problem.query, problem.key, problem.value + added, **problem.options)
    assert_inside_bound(as_projected(subject, output), expected_with_non_finite_values(added, subject, problem))


@law("every-word", Feature.BIAS, Feature.NON_FINITE, given=PROBLEMS_WITH_KEYS_HIDDEN_BY_A_BIAS)
def test_nan_and_infinity_in_tokens_hidden_by_a_bias_reach_no_output(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in keys and values that a bias of -∞ hides from every query reach no output."""
    hidden = problem.keys_hidden_from_all
    for poison in (np.nan, np.inf, -np.inf):
        key, value = (np.where(hidden, poison, array) for array in (problem.key, problem.value))
        output = subject.attention(problem.query, key, value, **problem.options)
        assert_inside_bound(output, expected(problem, subject.precision))
