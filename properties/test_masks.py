"""Masks and biases: clause `every-word`, for to hide a key from a query is to leave it out."""

from dataclasses import replace

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_equal, assert_inside_bound, expected, moved, native_inputs
from properties.drawing.masks import BIASES, BROADCASTS, MASKS
from properties.drawing.memory import some_placements
from properties.drawing.problem import HUGE, Problem
from properties.drawing.streams import ANY_PROBLEM, OptionChoices, problems

PROBLEMS_WITH_A_MASK = problems(options=OptionChoices(masks=tuple(MASKS), axes=BROADCASTS))
PROBLEMS_WITH_PADDING = problems(options=OptionChoices(masks=("padding", "most"), axes=("111k",)))
PROBLEMS_WITH_FULLY_MASKED_ROWS = problems(options=OptionChoices(masks=("fully masked rows",)))
PROBLEMS_WITH_A_BIAS = problems(options=OptionChoices(biases=tuple(BIASES), axes=BROADCASTS))
PROBLEMS_WITH_A_BIAS_OF_MINUS_INFINITY = problems(options=OptionChoices(biases=("minus infinity",)))


def assert_memory_layout_does_not_matter(subject: Subject, problem: Problem, name: str) -> None:
    """Raise `Disagreement` unless the output is right for some memory layouts of the option `name`: mask or bias."""
    inputs, placements = native_inputs(subject, problem), some_placements(problem)
    for option in subject.option_views(name, getattr(problem, name), problem.logits_shape, placements):
        output = subject.attend_natively(*inputs, **{name: option})
        assert_inside_bound(subject.take(output, answer(subject, problem).shape), expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=PROBLEMS_WITH_A_MASK)
def test_a_mask_of_any_broadcastable_shape_is_applied(subject: Subject, problem: Problem) -> None:
    """A query attends to the keys that its mask allows and to no others, for every shape that broadcasts."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.MASK, Feature.LENGTHS, given=PROBLEMS_WITH_PADDING)
def test_masking_a_key_equals_leaving_it_out(subject: Subject, problem: Problem) -> None:
    """Masking a key gives the same output as leaving the key and its value out."""
    seen = problem.seen[0, 0, 0]
    shown = Problem(problem.query, problem.key[..., seen, :], problem.value[..., seen, :], problem.dtype)
    assert_inside_bound(answer(subject, problem), expected(shown, subject.precision))


@law("every-word", Feature.MASK, given=ANY_PROBLEM)
def test_a_mask_that_hides_nothing_changes_nothing(subject: Subject, problem: Problem) -> None:
    """A mask that allows every query every key changes nothing."""
    everything = np.ones(problem.logits_shape, bool)
    output = subject.attention(problem.query, problem.key, problem.value, mask=everything)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=PROBLEMS_WITH_A_MASK)
def test_finite_numbers_in_masked_tokens_reach_no_output(subject: Subject, problem: Problem) -> None:
    """Numbers of 1e30, or 100 where 1e30 overflows, in keys and values that no query sees change no output."""
    key, value = (
        np.where(problem.keys_hidden_from_all, HUGE[subject.dtype], array) for array in (problem.key, problem.value)
    )
    output = subject.attention(problem.query, key, value, **problem.options)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, Feature.NON_FINITE, given=PROBLEMS_WITH_A_MASK)
def test_nan_and_infinity_in_masked_tokens_reach_no_output(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in keys and values that no query sees reach no output."""
    for poison in (np.nan, np.inf, -np.inf):
        key, value = (np.where(problem.keys_hidden_from_all, poison, array) for array in (problem.key, problem.value))
        output = subject.attention(problem.query, key, value, **problem.options)
        assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.MASK, given=PROBLEMS_WITH_FULLY_MASKED_ROWS)
def test_a_fully_masked_row_is_what_the_dialect_declares(subject: Subject, problem: Problem) -> None:
    """A fully masked row is what the dialect declares, and does not affect the other rows."""
    fully_masked = ~problem.seen.any(axis=-1)
    output, oracle = answer(subject, problem), expected(problem, subject.precision)
    assert_equal(np.isnan(output[fully_masked]), np.isnan(oracle.value[fully_masked]))
    assert_inside_bound(output, oracle)


@law("every-word", Feature.MASK, Feature.MUTABLE, given=PROBLEMS_WITH_A_MASK)
def test_the_memory_layout_of_a_mask_does_not_matter(subject: Subject, problem: Problem) -> None:
    """A strided, transposed or broadcast view of a mask gives the output of its copy."""
    assert_memory_layout_does_not_matter(subject, problem, "mask")


@law("every-word", Feature.BIAS, given=PROBLEMS_WITH_A_BIAS)
def test_a_bias_of_any_broadcastable_shape_is_added_to_the_scaled_scores(subject: Subject, problem: Problem) -> None:
    """A bias of every shape that broadcasts is added after the scale and before the softmax."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.BIAS, Feature.MUTABLE, given=PROBLEMS_WITH_A_BIAS)
def test_the_memory_layout_of_a_bias_does_not_matter(subject: Subject, problem: Problem) -> None:
    """A strided, transposed or broadcast view of a bias gives the output of its copy."""
    assert_memory_layout_does_not_matter(subject, problem, "bias")


@law("every-word", Feature.BIAS, given=PROBLEMS_WITH_A_BIAS_OF_MINUS_INFINITY)
def test_a_bias_of_minus_infinity_equals_a_mask(subject: Subject, problem: Problem) -> None:
    """A bias of -∞ at some keys and 0 at the others equals a mask that hides those keys."""
    hiding = np.where(problem.seen, 0.0, -np.inf)
    output = subject.attention(problem.query, problem.key, problem.value, bias=hiding)
    masked = replace(problem, bias=None, mask=problem.seen)
    assert_inside_bound(output, expected(masked, subject.precision))


@law("every-word", Feature.BIAS, given=ANY_PROBLEM)
def test_a_bias_that_is_constant_over_the_keys_changes_nothing(subject: Subject, problem: Problem) -> None:
    """A bias that is constant over the keys shifts all scores of a query alike, and changes nothing."""
    shift = np.zeros(problem.logits_shape) + problem.random.integers(-3, 4, (*problem.logits_shape[:-1], 1))
    raised, original = replace(problem, bias=shift), expected(problem, subject.precision)
    bound = moved(expected(raised, subject.precision), original.value, original.radius)
    assert_inside_bound(answer(subject, raised), bound)
