"""The place in memory of what a backward pass is given, and very many heads: clause `every-word`.

Some problems are exact, so that the gradient of a value tells which rows were read in place of others; in most the
gradients of query and key are not zero.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.placement import Placement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import native_inputs
from properties.checks.exact import assert_scattered
from properties.checks.gradients import assert_inside_bounds, expected_gradients, gradients
from properties.checks.placed import each_alone, packed, placed_options
from properties.drawing.claims import only
from properties.drawing.exact import Gather
from properties.drawing.few_keys import FewKeysBackwardPlan
from properties.drawing.gradient_options import plan
from properties.drawing.gradients import Backward
from properties.drawing.memory import GRIDS, PLANS_WITH_A_BIAS, PLANS_WITH_A_MASK, SHAPES, weighed_alike
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.scatter import Scatter, ScatterPlan, scattered

GRADIENT_PROBLEMS = only(
    *(ScatterPlan(of=one) for one in SHAPES),
    FewKeysBackwardPlan(of=Plan(batch=2, heads=2, queries=5, keys=7, d_k=64, d_v=80, seed=3)),
    FewKeysBackwardPlan(of=Plan(batch=2, heads=2, queries=5, keys=7, d_k=8, d_v=8, seed=4, options=Options(group=2))),
    FewKeysBackwardPlan(of=Plan(batch=2, heads=2, queries=3, keys=65, d_k=128, d_v=128, options=Options(group=3))),
)
PROBLEMS_OF_ONE_LENGTH = only(
    plan((5, 5, 4, 4), 1), plan((5, 5, 8, 6), 2), plan((4, 4, 8, 8), 3, group=2), plan((3, 3, 64, 64), 4)
)
PROBLEMS_WITH_AN_UPSTREAM_GRADIENT = only(
    plan((5, 7, 4, 4), 1), plan((4, 6, 64, 64), 2), plan((3, 9, 8, 8), 3, group=2)
)
GRADIENT_PROBLEMS_WITH_A_MASK = only(
    *(ScatterPlan(of=one) for one in PLANS_WITH_A_MASK), *(FewKeysBackwardPlan(of=one) for one in PLANS_WITH_A_MASK[2:])
)
GRADIENT_PROBLEMS_WITH_A_BIAS = only(
    *(ScatterPlan(of=one) for one in PLANS_WITH_A_BIAS), *(FewKeysBackwardPlan(of=one) for one in PLANS_WITH_A_BIAS[2:])
)
MANY_HEADS = only(GRIDS[-1])
REPEATED_ALONG = {"in all": (0, 1, 2, 3), "in all batches": (0,), "for all queries": (2,), "in all columns": (3,)}


def assert_right(subject: Subject, problem: Backward, inputs: Iterable[Any], under: str, **options: Any) -> None:
    """Raise `Disagreement` unless native inputs give the right gradients: that of the value to the bit, if exact."""
    native = subject.differentiate_natively(*inputs, **(options or subject.give_options(problem.options)))
    got = subject.take_gradients(native, [array.shape for array in problem.inputs[:3]])
    if isinstance(problem, Scatter):
        assert_scattered(got[2], problem, under)
    else:
        assert_inside_bounds(got, expected_gradients(problem, subject.precision), under)


def assert_option_may_lie_anywhere(subject: Subject, problem: Backward, name: str) -> None:
    """Raise `Disagreement` unless the gradients are right with a mask or a bias alone in every placement."""
    inputs = native_inputs(subject, problem)
    for options, words in placed_options(subject, problem, name):
        assert_right(subject, problem, inputs, words, **options)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=GRADIENT_PROBLEMS)
def test_each_input_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Backward) -> None:
    """The gradients are those of the numbers wherever each input alone lies in memory, the upstream gradient, too."""
    for inputs, words in each_alone(subject, problem):
        assert_right(subject, problem, inputs, words)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=PROBLEMS_WITH_AN_UPSTREAM_GRADIENT)
def test_an_upstream_gradient_may_be_repeated_without_a_copy(subject: Subject, problem: Backward) -> None:
    """An upstream gradient that is one number, row or column counts as often as strides of 0 repeat it."""
    for words, axes in REPEATED_ALONG.items():
        first = problem.upstream[tuple(slice(1 if axis in axes else None) for axis in range(4))]
        alike = problem.with_arrays(upstream=np.broadcast_to(first, problem.upstream.shape))
        (view,) = subject.placed(alike.upstream, [Placement.REPEATED])
        if view is not None:
            *inputs, _ = native_inputs(subject, alike)
            assert_right(subject, alike, [*inputs, view], f"with an upstream gradient that is one {words}")


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=PROBLEMS_OF_ONE_LENGTH)
def test_inputs_of_a_backward_pass_may_be_slices_of_one_buffer(subject: Subject, problem: Backward) -> None:
    """Query, key and value, or the last two, may be slices of one buffer: each gets its own gradient."""
    for inputs, words in packed(subject, problem):
        assert_right(subject, problem, inputs, words)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=GRADIENT_PROBLEMS)
def test_offsets_of_a_backward_pass_may_be_beyond_32_bits(subject: Subject, problem: Backward) -> None:
    """An input whose rows lie more than 2³¹ elements apart gives the gradients of its copy."""
    for inputs, words in each_alone(subject, problem, placements=[Placement.FAR]):
        assert_right(subject, problem, inputs, words)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, Feature.MASK, given=GRADIENT_PROBLEMS_WITH_A_MASK)
def test_a_mask_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Backward) -> None:
    """The gradients are those of the queries and keys that see each other wherever the mask lies in memory."""
    assert_option_may_lie_anywhere(subject, problem, "mask")


@law("every-word", Step.GRADIENT, Feature.MUTABLE, Feature.BIAS, given=GRADIENT_PROBLEMS_WITH_A_BIAS)
def test_a_bias_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Backward) -> None:
    """The gradients are those of the queries and keys that see each other wherever the bias lies in memory."""
    assert_option_may_lie_anywhere(subject, problem, "bias")


@law("every-word", Step.GRADIENT, Feature.HEADS, given=MANY_HEADS)
def test_there_may_be_more_gradients_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each query, key and value gets its own gradient."""
    backward = scattered(problem)
    assert_scattered(gradients(subject, backward).value, backward)
    alike = weighed_alike(problem)
    assert_inside_bounds(gradients(subject, alike), expected_gradients(alike, subject.precision))
