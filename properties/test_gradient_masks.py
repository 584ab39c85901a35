"""Gradients under masks, biases, causality and windows: clause `every-word`."""

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.gradients import (
    ZEROS,
    Array,
    assert_all_equal,
    assert_all_same_bits,
    assert_inside_bounds,
    expected_gradients,
    gradients,
)
from properties.drawing.gradients import Backward, backwards
from properties.drawing.masks import BIASES, BROADCASTS, MASKS
from properties.drawing.problem import HUGE
from properties.drawing.streams import Asking, problems

OPTIONS = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW})

MASKED = backwards(problems(asking=Asking(masks=tuple(MASKS), axes=BROADCASTS)))
CAUSAL = backwards(problems(asking=Asking(causal=(True,))))
SEVERAL_HEADS = backwards(problems(batches_and_heads=((1, 2), (1, 3), (2, 1), (2, 3))))
AT_ONCE = backwards(
    problems(
        asking=Asking(
            masks=("", "", "most", "padding"),
            biases=("", *BIASES),
            axes=BROADCASTS,
            causal=(False, True),
            windows=(None, 2, 8),
        )
    )
)


@law("every-word", Step.GRADIENT, OPTIONS, given=AT_ONCE)
def test_options_count_for_the_gradients(subject: Subject, problem: Backward) -> None:
    """Masks, biases, causality and windows apply to the gradients as they do to the output."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=MASKED)
def test_no_gradient_passes_between_words_hidden_from_each_other(subject: Subject, problem: Backward) -> None:
    """A key that no query sees and a fully masked row get a gradient of exactly zero; the others get theirs."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=MASKED)
def test_finite_numbers_in_hidden_words_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """Numbers of 1e30, or 100 where 1e30 overflows, in keys and values that no query sees change no gradient."""
    poisoned = subject.gradient(*hidden_words_are(HUGE[subject.dtype], problem), **problem.options)
    assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, Feature.NON_FINITE, given=MASKED)
def test_nan_and_infinity_in_hidden_words_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """NaN and infinity in keys and values that no query sees reach no gradient, not even their own."""
    for poison in (np.nan, np.inf):
        poisoned = subject.gradient(*hidden_words_are(poison, problem), **problem.options)
        assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.CAUSAL, given=CAUSAL)
def test_no_gradient_flows_to_later_words(subject: Subject, problem: Backward) -> None:
    """The outputs up to a token send a gradient of exactly zero to the tokens that are hidden from them."""
    early = np.arange(problem.query.shape[-2]) <= problem.random.integers(problem.query.shape[-2])
    asked = gradients(subject, problem.with_arrays(upstream=np.where(early[:, None], problem.upstream, 0.0)))
    unseen = ~np.asarray(problem.seen[..., early, :].any(axis=-2))[..., None]
    oracles = expected_gradients(problem, subject.precision)
    assert_all_equal(asked, ZEROS, oracles, where=(~early[:, None], unseen, unseen))


@law("every-word", Step.GRADIENT, Feature.HEADS, given=SEVERAL_HEADS)
def test_other_batches_and_heads_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """The other batches and heads, even if they hold NaN, change no bit of the gradients."""
    own = tuple(problem.random.integers(problem.query.shape[:2]))
    alone = [np.full_like(array, np.nan) for array in problem.inputs]
    for array, kept in zip(alone, problem.inputs, strict=True):
        array[own] = kept[own]
    got, whole = subject.gradient(*alone), gradients(subject, problem)
    assert_all_same_bits((array[own] for array in got), (array[own] for array in whole))


def hidden_words_are(number: float, problem: Backward) -> tuple[Array, Array, Array, Array]:
    """Return the inputs with one number in all keys and values hidden from every query, and the upstream gradient."""
    key, value = (np.where(problem.unseen_words, number, array) for array in (problem.key, problem.value))
    return problem.query, key, value, problem.upstream
