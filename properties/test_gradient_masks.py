"""Clause `every-word` for gradients: who does not see a word asks nothing of it, and gets nothing."""

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
    """Masks, biases, causality and windows count for the gradients as they do for the output."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=MASKED)
def test_no_gradient_passes_between_words_hidden_from_each_other(subject: Subject, problem: Backward) -> None:
    """A word that no query sees gets exactly zero, as does a query that sees no word, and the others get theirs."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=MASKED)
def test_finite_numbers_in_hidden_words_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """Numbers of 1e30 in words that nobody sees, or of 100 where 1e30 is infinite, change no gradient."""
    poisoned = subject.gradient(*hidden_words_are(HUGE[subject.dtype], problem), **problem.options)
    assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, Feature.NON_FINITE, given=MASKED)
def test_nan_and_infinity_in_hidden_words_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """What is not a number, in words that nobody sees, reaches no gradient, not even that of its own word."""
    for poison in (np.nan, np.inf):
        poisoned = subject.gradient(*hidden_words_are(poison, problem), **problem.options)
        assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.CAUSAL, given=CAUSAL)
def test_no_gradient_flows_to_later_words(subject: Subject, problem: Backward) -> None:
    """What is asked of the outputs up to a word asks exactly nothing of the words that those do not see."""
    early = np.arange(problem.query.shape[-2]) <= problem.random.integers(problem.query.shape[-2])
    asked = gradients(subject, problem.with_arrays(upstream=np.where(early[:, None], problem.upstream, 0.0)))
    unseen = ~np.asarray(problem.seen[..., early, :].any(axis=-2))[..., None]
    oracles = expected_gradients(problem, subject.precision)
    assert_all_equal(asked, ZEROS, oracles, where=(~early[:, None], unseen, unseen))


@law("every-word", Step.GRADIENT, Feature.HEADS, given=SEVERAL_HEADS)
def test_other_batches_and_heads_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """What is in the other batches and heads changes no bit of the gradients, not even if it is not a number."""
    own = tuple(problem.random.integers(problem.query.shape[:2]))
    alone = [np.full_like(array, np.nan) for array in problem.inputs]
    for array, kept in zip(alone, problem.inputs, strict=True):
        array[own] = kept[own]
    got, whole = subject.gradient(*alone), gradients(subject, problem)
    assert_all_same_bits((array[own] for array in got), (array[own] for array in whole))


def hidden_words_are(number: float, problem: Backward) -> tuple[Array, Array, Array, Array]:
    """Return the inputs with one number in all keys and values that no query sees, and the upstream gradient."""
    key, value = (np.where(problem.unseen_words, number, array) for array in (problem.key, problem.value))
    return problem.query, key, value, problem.upstream
