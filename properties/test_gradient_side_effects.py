"""Side effects, dtype and memory layout of a backward pass: clause `every-word`."""

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_same_bits, native_inputs
from properties.checks.gradients import (
    assert_all_same_bits,
    assert_inside_bounds,
    expected_gradients,
    gradients,
)
from properties.drawing.gradient_options import WIDTHS_IN_MEMORY
from properties.drawing.gradients import ANY_GRADIENT_PROBLEM, Backward
from properties.drawing.memory import some_placements


@law("every-word", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_gradients_have_the_dtype_of_their_inputs(subject: Subject, problem: Backward) -> None:
    """The three gradients have the dtype of query, key and value."""
    inputs = native_inputs(subject, problem)
    for gradient in subject.gradients_of(subject.differentiate_natively(*inputs)):
        subject.assert_same_dtype(gradient, inputs[0], Step.GRADIENT)


@law("every-word", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_a_backward_pass_does_not_write_to_its_inputs(subject: Subject, problem: Backward) -> None:
    """A backward pass leaves query, key, value and the upstream gradient unchanged."""
    inputs = native_inputs(subject, problem)
    subject.differentiate_natively(*inputs)
    for native, array in zip(inputs, problem.inputs, strict=True):
        assert_same_bits(subject.take(native, array.shape), array)


@law("every-word", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_same_call_gives_the_same_gradients(subject: Subject, problem: Backward) -> None:
    """The same call gives the same bits every time: sums have one order, and nothing is added to earlier ones."""
    assert_all_same_bits(subject.gradient(*problem.inputs), gradients(subject, problem))


@law("every-word", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_later_calls_do_not_change_earlier_gradients(subject: Subject, problem: Backward) -> None:
    """Gradients that are kept stay what they were while others of their shapes are computed."""
    kept = subject.differentiate_natively(*native_inputs(subject, problem))
    subject.differentiate_natively(*native_inputs(subject, problem.with_other_numbers()))
    read = subject.take_gradients(kept, [array.shape for array in (problem.query, problem.key, problem.value)])
    assert_inside_bounds(read, expected_gradients(problem, subject.precision))


@law("every-word", Step.ATTENTION, Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_a_forward_pass_in_between_changes_no_gradient(subject: Subject, problem: Backward) -> None:
    """A gradient is that of its own inputs, not of the inputs of the last forward pass."""
    other = problem.with_other_numbers()
    subject.attention(other.query, other.key, other.value)
    assert_inside_bounds(subject.gradient(*problem.inputs), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=ANY_GRADIENT_PROBLEM)
def test_gradients_of_strided_inputs_equal_those_of_their_copies(subject: Subject, problem: Backward) -> None:
    """Inputs that lie otherwise in memory, all of them or any one, give the gradients of their copies."""
    shapes = [array.shape for array in gradients(subject, problem)]
    contiguous, alone = native_inputs(subject, problem), problem.random.integers(len(problem.inputs))
    placements = some_placements(problem)
    for views in zip(*(subject.placed(array, placements) for array in problem.inputs), strict=True):
        one = [*contiguous[:alone], views[alone], *contiguous[alone + 1 :]]
        for inputs in (views, one):
            if all(given is not None for given in inputs):
                got = subject.take_gradients(subject.differentiate_natively(*inputs), shapes)
                assert_inside_bounds(got, expected_gradients(problem, subject.precision))


@law("matrix", Step.GRADIENT, Feature.MUTABLE, given=WIDTHS_IN_MEMORY)
def test_gradients_are_right_for_each_width_wherever_the_inputs_lie_in_memory(
    subject: Subject, problem: Backward
) -> None:
    """The gradients are right for each width of real heads, with query, key and value in each place in memory."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))
