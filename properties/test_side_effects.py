"""Side effects, memory layout and repeatability of a call: clause `every-word`.

An output depends on its own query, the keys and the values: on no other batch, earlier call or other memory.
"""

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_equal,
    assert_inside_bound,
    assert_same_bits,
    expected,
    native_inputs,
)
from properties.drawing.claims import only
from properties.drawing.memory import some_placements
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, PROBLEMS_WITH_SEVERAL_BATCHES, problems

OF_ALL_KINDS = only(
    *(
        Plan(batch=2, heads=2, queries=n_q, keys=n_k, d_k=8, d_v=8, regimes=("normal",), seed=n_k, options=options)
        for n_q, n_k in ((1, 300), (5, 9))
        for options in (Options(), Options(group=2), Options(causal=True), Options(mask="most"), Options(softcap=5.0))
    )
)
"""Also decoding, and each with an option that may have code of its own."""
PROBLEMS_WITH_MANY_ZEROS = problems(regimes=("zeros", "signed zeros", "iota", "small integers", "spikes"))


@law("every-word", given=ANY_PROBLEM)
def test_inputs_are_not_written(subject: Subject, problem: Problem) -> None:
    """A call leaves query, key and value unchanged."""
    inputs = native_inputs(subject, problem)
    subject.attend_natively(*inputs)
    for native, array in zip(inputs, (problem.query, problem.key, problem.value), strict=True):
        assert_same_bits(subject.take(native, array.shape), array)


@law("every-word", Feature.MUTABLE, given=ANY_PROBLEM)
def test_output_shares_no_memory_with_its_inputs(subject: Subject, problem: Problem) -> None:
    """Writing into query, key and value after a call leaves its output unchanged."""
    inputs = native_inputs(subject, problem)
    output = subject.attend_natively(*inputs)
    before = subject.take(output, answer(subject, problem).shape)
    for native, array in zip(inputs, (problem.query, problem.key, problem.value), strict=True):
        subject.write(native, array + 1)
    assert_same_bits(subject.take(output, before.shape), before)


@law("every-word", Feature.MUTABLE, given=ANY_PROBLEM)
def test_a_call_has_read_its_inputs_when_it_returns(subject: Subject, problem: Problem) -> None:
    """An output read only after its inputs were overwritten is that of the inputs at the time of the call."""
    inputs = native_inputs(subject, problem)
    output = subject.attend_natively(*inputs)
    for native, array in zip(inputs, (problem.query, problem.key, problem.value), strict=True):
        subject.write(native, array + 1)
    assert_same_bits(subject.take(output, answer(subject, problem).shape), answer(subject, problem))


@law("every-word", given=ANY_PROBLEM)
def test_later_calls_do_not_change_earlier_outputs(subject: Subject, problem: Problem) -> None:
    """An output that is kept stays what it was while others of its shape are computed."""
    output = subject.attend_natively(*native_inputs(subject, problem))
    subject.attend_natively(*native_inputs(subject, problem.with_other_numbers()))
    read = subject.take(output, (*problem.query.shape[:-1], problem.value.shape[-1]))
    assert_inside_bound(read, expected(problem, subject.precision))


@law("every-word", given=OF_ALL_KINDS)
def test_later_calls_with_an_option_do_not_change_earlier_outputs(subject: Subject, problem: Problem) -> None:
    """An output that is kept stays what it was while others are computed, also of grouped heads and with an option."""
    options = subject.give_options(problem.options)
    kept = subject.attend_natively(*native_inputs(subject, problem), **options)
    subject.attend_natively(*native_inputs(subject, problem.with_other_numbers()), **options)
    read = subject.take(kept, (*problem.query.shape[:-1], problem.value.shape[-1]))
    assert_inside_bound(read, expected(problem, subject.precision))


@law("every-word", given=ANY_PROBLEM)
def test_same_call_gives_same_bits(subject: Subject, problem: Problem) -> None:
    """The same call gives the same bits every time, right after itself and after a call with other numbers."""
    other = problem.with_other_numbers()
    first, second = (subject.attention(problem.query, problem.key, problem.value) for _ in range(2))
    assert_same_bits(second, first, of="of a second call")
    subject.attention(other.query, other.key, other.value)
    third = subject.attention(problem.query, problem.key, problem.value)
    assert_same_bits(third, first, of="after a call with other numbers")


@law("every-word", Feature.MUTABLE, given=ANY_PROBLEM)
def test_strided_inputs_equal_their_copies(subject: Subject, problem: Problem) -> None:
    """Inputs that all lie in the same other way in memory, as views do, give the output of their copies."""
    placements = some_placements(problem)
    for views in zip(*(subject.placed(array, placements) for array in problem.inputs), strict=True):
        if all(view is not None for view in views):
            output = subject.take(subject.attend_natively(*views), answer(subject, problem).shape)
            assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", given=ANY_PROBLEM)
def test_output_has_the_dtype_of_its_inputs(subject: Subject, problem: Problem) -> None:
    """The output has the dtype of query, key and value."""
    inputs = native_inputs(subject, problem)
    subject.assert_same_dtype(subject.attend_natively(*inputs), inputs[0])


@law("every-word", Feature.HEADS, given=PROBLEMS_WITH_SEVERAL_BATCHES)
def test_outputs_do_not_depend_on_other_batches(subject: Subject, problem: Problem) -> None:
    """The other batches, even if they hold NaN, change no bit of an output."""
    batch = problem.random.integers(len(problem.query))
    arrays = [np.full_like(array, np.nan) for array in (problem.query, problem.key, problem.value)]
    for array, kept in zip(arrays, (problem.query, problem.key, problem.value), strict=True):
        array[batch] = kept[batch]
    assert_same_bits(subject.attention(*arrays)[batch], answer(subject, problem)[batch])


@law("every-word", Feature.MUTABLE, given=ANY_PROBLEM)
def test_new_numbers_in_the_same_buffers_give_new_outputs(subject: Subject, problem: Problem) -> None:
    """A second call with the same, overwritten buffers gives the output of the numbers now in them."""
    inputs, other = native_inputs(subject, problem), problem.with_other_numbers()
    subject.attend_natively(*inputs)
    for native, array in zip(inputs, (other.query, other.key, other.value), strict=True):
        subject.write(native, array)
    output = subject.take(subject.attend_natively(*inputs), answer(subject, problem).shape)
    assert_inside_bound(output, expected(other, subject.precision))


@law("every-word", given=PROBLEMS_WITH_MANY_ZEROS)
def test_negative_zero_counts_as_zero(subject: Subject, problem: Problem) -> None:
    """Replacing 0.0 by -0.0 in the inputs changes no number of the output."""
    arrays = (problem.query, problem.key, problem.value)
    negative = subject.attention(*(np.where(array == 0, -0.0, array) for array in arrays))
    assert_equal(negative, subject.attention(*(np.where(array == 0, 0.0, array) for array in arrays)))
