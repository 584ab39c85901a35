"""Gradients with a soft cap, with a broadcast bias, and with exactly two options: clauses `scale` and `every-word`."""

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.gradients import assert_inside_bounds, expected_gradients, gradients
from properties.drawing.gradient_options import BROADCAST_BIASES, NO_POSITIVE_SCALE, TWO_OPTIONS, TWO_OPTIONS_OF_GROUPS
from properties.drawing.gradients import Backward, gradient_problems
from properties.drawing.streams import CAPS, OptionChoices, problems

OPTIONS = frozenset(
    {
        Feature.MASK,
        Feature.BIAS,
        Feature.CAUSAL,
        Feature.WINDOW,
        Feature.SOFTCAP,
        Feature.GROUPED_HEADS,
        Feature.SCALE,
    }
)

GRADIENT_PROBLEMS_WITH_A_SOFT_CAP = gradient_problems(problems(options=OptionChoices(softcaps=CAPS)), at_most=16)


@law("scale", Step.GRADIENT, Feature.SOFTCAP, given=GRADIENT_PROBLEMS_WITH_A_SOFT_CAP)
def test_a_soft_cap_multiplies_the_gradients_of_the_scores_by_its_slope(subject: Subject, problem: Backward) -> None:
    """A soft cap multiplies the gradients of the scores by its slope, 1 - tanh², and counts for the weights too."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, OPTIONS, given=TWO_OPTIONS)
def test_any_two_options_apply_to_the_gradients_together(subject: Subject, problem: Backward) -> None:
    """With two options, whichever they are, the gradients are those of attention with both."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.GROUPED_HEADS, OPTIONS - {Feature.GROUPED_HEADS}, given=TWO_OPTIONS_OF_GROUPS)
def test_any_two_other_options_apply_to_the_gradients_of_grouped_heads(subject: Subject, problem: Backward) -> None:
    """With grouped heads and two other options, whichever they are, the gradients are those of attention with all."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("scale", Step.GRADIENT, Feature.SCALE, given=NO_POSITIVE_SCALE)
def test_a_scale_of_zero_or_below_applies_to_the_gradients_with_any_option(subject: Subject, problem: Backward) -> None:
    """A negative scale keeps its sign in the gradients, and one of zero makes them zero, beside any other option."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.BIAS, given=BROADCAST_BIASES)
def test_a_bias_of_any_broadcastable_shape_counts_for_the_gradients(subject: Subject, problem: Backward) -> None:
    """A bias counts for the gradients in every shape that broadcasts."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))
