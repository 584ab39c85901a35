"""Masks and biases: clause `every-word`, for to hide a key from a query is to leave it out."""

from dataclasses import replace

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_equal, assert_inside_bound, expected, moved, native_inputs
from properties.drawing.masks import BIASES, BROADCASTS, MASKS
from properties.drawing.problem import HUGE, Problem
from properties.drawing.streams import ANY_PROBLEM, Asking, problems

MASKED = problems(asking=Asking(masks=tuple(MASKS), axes=BROADCASTS))
PADDED = problems(asking=Asking(masks=("padding", "most"), axes=("111k",)))
SOME_BLIND = problems(asking=Asking(masks=("blind",)))
BIASED = problems(asking=Asking(biases=tuple(BIASES), axes=BROADCASTS))
HIDING = problems(asking=Asking(biases=("hiding",)))


def assert_memory_does_not_matter(subject: Subject, problem: Problem, name: str) -> None:
    """Raise `Disagreement` unless the output is right for every memory layout of the option `name`: mask or bias."""
    inputs = native_inputs(subject, problem)
    for option in subject.option_views(name, getattr(problem, name), problem.logits_shape):
        output = subject.attend_natively(*inputs, **{name: option})
        assert_inside_bound(subject.take(output, answer(subject, problem).shape), expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=MASKED)
def test_a_mask_of_any_shape_hides_what_it_says(subject: Subject, problem: Problem) -> None:
    """A query attends to the keys that its mask allows and to no others, for every shape that broadcasts."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.MASK, Feature.LENGTHS, given=PADDED)
def test_hiding_a_word_is_leaving_it_out(subject: Subject, problem: Problem) -> None:
    """Masking a key gives the same output as leaving the key and its value out."""
    seen = problem.seen[0, 0, 0]
    shown = Problem(problem.query, problem.key[..., seen, :], problem.value[..., seen, :], problem.dtype)
    assert_inside_bound(answer(subject, problem), expected(shown, subject.precision))


@law("every-word", Feature.MASK, given=ANY_PROBLEM)
def test_a_mask_that_hides_nothing_is_none(subject: Subject, problem: Problem) -> None:
    """A mask that allows every query every key changes nothing."""
    everything = np.ones(problem.logits_shape, bool)
    output = subject.attention(problem.query, problem.key, problem.value, mask=everything)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=MASKED)
def test_finite_numbers_in_hidden_words_reach_nothing(subject: Subject, problem: Problem) -> None:
    """Numbers of 1e30, or 100 where 1e30 overflows, in keys and values that no query sees change no output."""
    key, value = (np.where(problem.unseen_words, HUGE[subject.dtype], array) for array in (problem.key, problem.value))
    output = subject.attention(problem.query, key, value, **problem.options)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, Feature.NON_FINITE, given=MASKED)
def test_nan_and_infinity_in_hidden_words_reach_nothing(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in keys and values that no query sees reach no output."""
    for poison in (np.nan, np.inf, -np.inf):
        key, value = (np.where(problem.unseen_words, poison, array) for array in (problem.key, problem.value))
        output = subject.attention(problem.query, key, value, **problem.options)
        assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=SOME_BLIND)
def test_a_query_that_sees_nothing_gets_what_the_dialect_says(subject: Subject, problem: Problem) -> None:
    """A fully masked row is what the dialect declares, and does not affect the other rows."""
    unseeing = ~problem.seen.any(axis=-1)
    output, oracle = answer(subject, problem), expected(problem, subject.precision)
    assert_equal(np.isnan(output[unseeing]), np.isnan(oracle.value[unseeing]))
    assert_inside_bound(output, oracle)


@law("every-word", Feature.MASK, Feature.MUTABLE, given=MASKED)
def test_how_a_mask_lies_in_memory_does_not_matter(subject: Subject, problem: Problem) -> None:
    """A strided, transposed or broadcast view of a mask gives the output of its copy."""
    assert_memory_does_not_matter(subject, problem, "mask")


@law("every-word", Feature.BIAS, given=BIASED)
def test_a_bias_of_any_shape_is_added_to_the_scaled_scores(subject: Subject, problem: Problem) -> None:
    """A bias of every shape that broadcasts is added after the scale and before the softmax."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.BIAS, Feature.MUTABLE, given=BIASED)
def test_how_a_bias_lies_in_memory_does_not_matter(subject: Subject, problem: Problem) -> None:
    """A strided, transposed or broadcast view of a bias gives the output of its copy."""
    assert_memory_does_not_matter(subject, problem, "bias")


@law("every-word", Feature.BIAS, given=HIDING)
def test_a_bias_of_minus_infinity_hides_as_a_mask_does(subject: Subject, problem: Problem) -> None:
    """A bias of -∞ at some keys and 0 at the others equals a mask that hides those keys."""
    hiding = np.where(problem.seen, 0.0, -np.inf)
    output = subject.attention(problem.query, problem.key, problem.value, bias=hiding)
    masked = replace(problem, bias=None, mask=problem.seen)
    assert_inside_bound(output, expected(masked, subject.precision))


@law("every-word", Feature.BIAS, given=ANY_PROBLEM)
def test_a_bias_that_is_the_same_for_all_words_changes_nothing(subject: Subject, problem: Problem) -> None:
    """A bias that is constant over the keys shifts all scores of a query alike, and changes nothing."""
    shift = np.zeros(problem.logits_shape) + problem.random.integers(-3, 4, (*problem.logits_shape[:-1], 1))
    raised, original = replace(problem, bias=shift), expected(problem, subject.precision)
    bound = moved(expected(raised, subject.precision), original.value, original.radius)
    assert_inside_bound(answer(subject, raised), bound)
