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
from properties.drawing.gradients import Backward, gradient_problems
from properties.drawing.masks import BIASES, BROADCASTS, MASKS
from properties.drawing.problem import HUGE
from properties.drawing.streams import CAPS, OptionChoices, problems

OPTIONS = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW})

GRADIENT_PROBLEMS_WITH_A_MASK = gradient_problems(
    problems(
        options=OptionChoices(masks=tuple(MASKS), axes=BROADCASTS, softcaps=(None, None, *CAPS), groups=(1, 2, 1, 3))
    )
)
CAUSAL_GRADIENT_PROBLEMS = gradient_problems(problems(options=OptionChoices(causal=(True,))))
GRADIENT_PROBLEMS_WITH_SEVERAL_HEADS = gradient_problems(
    problems(batches_and_heads=((1, 2), (1, 3), (2, 1), (2, 3)), options=OptionChoices(groups=(1, 2, 3)))
)
GRADIENT_PROBLEMS_WITH_COMBINED_OPTIONS = gradient_problems(
    problems(
        options=OptionChoices(
            masks=("", "", "most", "padding"),
            biases=("", *BIASES),
            axes=BROADCASTS,
            causal=(False, True),
            windows=(None, 2, 8),
            softcaps=(None, None, *CAPS),
            groups=(1, 2, 3),
            scales=(None, 0.25, 2.0),
        )
    )
)


@law("every-word", Step.GRADIENT, OPTIONS, given=GRADIENT_PROBLEMS_WITH_COMBINED_OPTIONS)
def test_gradients_respect_masks_biases_causality_and_windows(subject: Subject, problem: Backward) -> None:
    """Masks, biases, causality and windows apply to the gradients as they do to the output, whatever else is asked."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=GRADIENT_PROBLEMS_WITH_A_MASK)
def test_no_gradient_flows_between_a_query_and_a_key_hidden_from_it(subject: Subject, problem: Backward) -> None:
    """A key that no query sees and a fully masked row get a gradient of exactly zero; the others get theirs."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, given=GRADIENT_PROBLEMS_WITH_A_MASK)
def test_finite_numbers_in_masked_tokens_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """Numbers of 1e30, or 100 where 1e30 overflows, in keys and values that no query sees change no gradient."""
    poisoned = subject.gradient(*with_hidden_tokens_set_to(HUGE[subject.dtype], problem), **problem.options)
    assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MASK, Feature.NON_FINITE, given=GRADIENT_PROBLEMS_WITH_A_MASK)
def test_nan_and_infinity_in_masked_tokens_reach_no_gradient(subject: Subject, problem: Backward) -> None:
    """NaN and infinity in keys and values that no query sees reach no gradient, not even their own."""
    for poison in (np.nan, np.inf):
        poisoned = subject.gradient(*with_hidden_tokens_set_to(poison, problem), **problem.options)
        assert_inside_bounds(poisoned, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.CAUSAL, given=CAUSAL_GRADIENT_PROBLEMS)
def test_no_gradient_flows_to_later_tokens(subject: Subject, problem: Backward) -> None:
    """The outputs up to a token send a gradient of exactly zero to the tokens that are hidden from them."""
    early = np.arange(problem.query.shape[-2]) <= problem.random.integers(problem.query.shape[-2])
    asked = gradients(subject, problem.with_arrays(upstream=np.where(early[:, None], problem.upstream, 0.0)))
    unseen = ~np.asarray(problem.seen[..., early, :].any(axis=-2))[..., None]
    oracles = expected_gradients(problem, subject.precision)
    assert_all_equal(asked, ZEROS, oracles, where=(~early[:, None], unseen, unseen))


@law("every-word", Step.GRADIENT, Feature.HEADS, given=GRADIENT_PROBLEMS_WITH_SEVERAL_HEADS)
def test_gradients_do_not_depend_on_other_batches_and_heads(subject: Subject, problem: Backward) -> None:
    """The other batches and key heads, even if they hold NaN, change no bit of the gradients."""
    batch, head = problem.random.integers(problem.key.shape[:2])
    own, shared = np.s_[batch, head * problem.group : (head + 1) * problem.group], np.s_[batch, head]
    alone = [np.full_like(array, np.nan) for array in problem.inputs]
    for array, kept, place in zip(alone, problem.inputs, (own, shared, shared, own), strict=True):
        array[place] = kept[place]
    got, whole = subject.gradient(*alone), gradients(subject, problem)
    places = (own, shared, shared)
    assert_all_same_bits(*([array[place] for array, place in zip(all_, places, strict=True)] for all_ in (got, whole)))


def with_hidden_tokens_set_to(number: float, problem: Backward) -> tuple[Array, Array, Array, Array]:
    """Return the inputs with one number in all keys and values hidden from every query, and the upstream gradient."""
    (batch, key_heads, n_k, _), unseen = problem.key.shape, problem.keys_hidden_from_all
    hidden = unseen.reshape(batch, key_heads, -1, n_k, 1).all(axis=2)
    key, value = (np.where(hidden, number, array) for array in (problem.key, problem.value))
    return problem.query, key, value, problem.upstream
