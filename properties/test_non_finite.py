"""NaN and ∞ in values reach the outputs that weigh them, and no others: clause `sum`."""

from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound, expected, expected_weights, moved
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, Asking, problems
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

MASKED = problems(asking=Asking(masks=("most", "triangle", "padding", "one", "few", "blind")))
HIDDEN_BY_BIAS = problems(asking=Asking(biases=("hiding",), axes=("111k", "b11k", "bh1k", "1k")))


def strange(problem: Problem, *numbers: float) -> Array:
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


def with_what_it_weighs(added: Array, subject: Subject, problem: Problem) -> Interval:
    """Return the expected output with NaN or ∞ added to values: vacuous where their weight may round to 0."""
    added = as_projected(subject, added)
    weights, plain = expected_weights(subject, problem), expected(problem, subject.precision)
    weighed = weights.value > weights.tolerance
    total = np.where(weighed[..., None], added[..., None, :, :], 0).sum(axis=-2)
    return moved(plain, plain.value + total, np.where((problem.seen & ~weighed) @ (added != 0), np.inf, 0))


@law("sum", given=ANY_PROBLEM)
def test_a_value_that_is_no_number_shows_in_the_outputs_that_weigh_it(subject: Subject, problem: Problem) -> None:
    """NaN or ∞ in a value component reaches that component, and no other, of every output that weighs it."""
    added = strange(problem, problem.random.choice((np.nan, np.inf, -np.inf)))
    output = subject.attention(problem.query, problem.key, problem.value + added)
    assert_inside_bound(as_projected(subject, output), with_what_it_weighs(added, subject, problem))


@law("sum", Feature.MASK, Feature.NON_FINITE, given=MASKED)
def test_a_value_that_is_no_number_is_hidden_from_those_who_do_not_see_it(subject: Subject, problem: Problem) -> None:
    """NaN in a value reaches no query that the value is masked from, even if other queries attend to it."""
    added = strange(problem, np.inf, np.nan)
    output = subject.attention(problem.query, problem.key, problem.value + added, **problem.options)
    assert_inside_bound(as_projected(subject, output), with_what_it_weighs(added, subject, problem))


@law("every-word", Feature.BIAS, Feature.NON_FINITE, given=HIDDEN_BY_BIAS)
def test_words_hidden_by_a_bias_reach_nothing_whatever_is_in_them(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in keys and values that a bias of -∞ hides from every query reach no output."""
    hidden = problem.unseen_words
    for poison in (np.nan, np.inf, -np.inf):
        key, value = (np.where(hidden, poison, array) for array in (problem.key, problem.value))
        output = subject.attention(problem.query, key, value, **problem.options)
        assert_inside_bound(output, expected(problem, subject.precision))
