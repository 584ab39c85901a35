"""The place of each array in memory: strides, gaps, offsets, shared buffers and very many heads: clause `every-word`.

Each query asks for one key, so that a row that is read from another place comes back as the value of another key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.engine.measurements import record_count
from attention_tests.execution.placement import NEAR, Packing, Placement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer_and_lse, assert_equal, native_inputs
from properties.checks.exact import assert_gathered, assert_scattered
from properties.checks.gradients import gradients
from properties.drawing.claims import only
from properties.drawing.exact import Gather, GatherPlan
from properties.drawing.memory import GridPlan, RepeatedPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.scatter import Scatter, ScatterPlan, scattered

NAMES = ("query", "key", "value", "upstream gradient")
SHAPES = (
    Plan(batch=2, heads=2, queries=3, keys=4, d_k=4, d_v=4),
    Plan(batch=3, heads=3, queries=5, keys=8, d_k=8, d_v=8, seed=1),
    Plan(batch=3, heads=2, queries=1, keys=16, d_k=8, d_v=5, seed=2),
)
PROBLEMS = only(*(GatherPlan(of=plan) for plan in SHAPES))
PROBLEMS_WITH_GROUPED_HEADS = only(
    *(
        GatherPlan(of=Plan(batch=2, heads=heads, queries=n, keys=6, d_k=8, d_v=8, seed=n, options=Options(group=group)))
        for heads, group, n in ((2, 2, 1), (2, 3, 4), (1, 4, 2))
    )
)
PROBLEMS_WITH_ONE_LENGTH = only(
    GatherPlan(of=Plan(batch=2, heads=2, queries=4, keys=4, d_k=4, d_v=4)),
    GatherPlan(of=Plan(batch=2, heads=2, queries=5, keys=5, d_k=8, d_v=6)),
    GatherPlan(of=Plan(batch=2, heads=2, queries=5, keys=5, d_k=8, d_v=8, options=Options(group=2))),
)
REPEATED_PROBLEMS = only(
    RepeatedPlan(of=Plan(heads=2, queries=3, keys=4, d_k=4, d_v=4), batches=2),
    RepeatedPlan(of=Plan(batch=2, queries=3, keys=4, d_k=4, d_v=4), heads=3),
    RepeatedPlan(of=Plan(queries=2, keys=5, d_k=8, d_v=8), batches=2, heads=2),
)
WIDE_PROBLEMS = only(
    *(
        GatherPlan(of=Plan(batch=2, heads=2, queries=n, keys=n + 1, d_k=width, d_v=width, seed=n, options=options))
        for n, (width, options) in enumerate(
            (
                (64, Options(causal=True)),
                (64, Options(mask="most")),
                (80, Options(bias="minus infinity")),
                (128, Options(window=3, causal=True)),
                (128, Options(scale=0.5)),
            ),
            start=6,
        )
    )
)
SHAPES_UNDER_OPTIONS = (
    Plan(batch=2, heads=2, queries=4, keys=4, d_k=4, d_v=4),
    Plan(batch=2, heads=3, queries=5, keys=6, d_k=4, d_v=4),
    Plan(batch=2, heads=2, keys=65, d_k=64, d_v=64, options=Options(group=2)),
    Plan(batch=2, heads=2, queries=9, keys=70, d_k=8, d_v=8, options=Options(causal=True)),
    Plan(batch=2, heads=2, queries=9, keys=8, d_k=8, d_v=8, options=Options(window=3, group=3)),
)
"""Also decoding, more keys than a tile has, and an option beside the mask or the bias."""
PLANS_WITH_A_MASK = tuple(replace(plan, options=replace(plan.options, mask="most")) for plan in SHAPES_UNDER_OPTIONS)
PLANS_WITH_A_BIAS = tuple(
    replace(plan, options=replace(plan.options, bias="minus infinity")) for plan in SHAPES_UNDER_OPTIONS
)
PROBLEMS_WITH_A_MASK = only(*(GatherPlan(of=plan) for plan in PLANS_WITH_A_MASK))
PROBLEMS_WITH_A_BIAS = only(*(GatherPlan(of=plan) for plan in PLANS_WITH_A_BIAS))
GRADIENT_PROBLEMS_WITH_A_MASK = only(*(ScatterPlan(of=plan) for plan in PLANS_WITH_A_MASK))
GRADIENT_PROBLEMS_WITH_A_BIAS = only(*(ScatterPlan(of=plan) for plan in PLANS_WITH_A_BIAS))
GRIDS = only(GridPlan(batch=65_537), GridPlan(batch=2, heads=32_771))
GRIDS_OF_GROUPS = only(GridPlan(batch=32_769, group=2), GridPlan(batch=2, heads=16_411, group=3))
GRADIENT_PROBLEMS = only(
    *(ScatterPlan(of=plan) for plan in SHAPES),
    ScatterPlan(of=Plan(batch=2, heads=2, queries=5, keys=7, d_k=64, d_v=80, seed=3)),
    ScatterPlan(of=Plan(batch=2, heads=2, queries=5, keys=7, d_k=8, d_v=8, seed=4, options=Options(group=2))),
    ScatterPlan(of=Plan(batch=2, heads=2, queries=3, keys=65, d_k=128, d_v=128, seed=5, options=Options(group=3))),
)


def each_alone(
    subject: Subject, problem: Gather, names: Sequence[str] = NAMES, placements: Sequence[Placement] = NEAR
) -> Iterator[tuple[list[Any], str]]:
    """Yield the native inputs with one of them in another placement, and words for it: each of `names` in each."""
    contiguous = native_inputs(subject, problem)
    for place, array in enumerate(problem.inputs):
        if NAMES[place] in names:
            for view, words in held(subject.placed(array, placements), placements):
                yield [*contiguous[:place], view, *contiguous[place + 1 :]], f"with the {NAMES[place]} alone {words}"


def held(views: Sequence[Any], placements: Sequence[Placement]) -> Iterator[tuple[Any, Placement]]:
    """Yield the views that there are with their placements, and count for the report those that there are not."""
    for view, placement in zip(views, placements, strict=True):
        if view is None:
            record_count(f"not asked: {placement}", 1)
        else:
            yield view, placement


def assert_output(subject: Subject, problem: Gather, inputs: Sequence[Any], under: str, **options: Any) -> None:
    """Raise `Disagreement` unless native inputs give the values that are asked for, to the bit."""
    output = subject.attend_natively(*inputs, **(options or subject.give_options(problem.options)))
    assert_gathered(subject.take(output, problem.rows.shape), problem, under)


def placed_options(subject: Subject, problem: Gather, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the options with a mask or a bias in each placement, and words for it."""
    option, options = (
        np.broadcast_to(getattr(problem, name), problem.logits_shape),
        subject.give_options(problem.options),
    )
    for view, words in held(subject.option_placed(name, option, NEAR), NEAR):
        yield options | {name: view}, f"with the {name} alone {words}"


def assert_option_may_lie_anywhere(subject: Subject, problem: Gather, name: str) -> None:
    """Raise `Disagreement` unless the output is right with a mask or a bias alone in every placement."""
    inputs = native_inputs(subject, problem)
    for options, words in placed_options(subject, problem, name):
        assert_output(subject, problem, inputs, words, **options)


def assert_option_of_a_backward_pass_may_lie_anywhere(subject: Subject, problem: Scatter, name: str) -> None:
    """Raise `Disagreement` unless the gradient of the value is right with a mask or a bias alone in every placement."""
    inputs, shapes = native_inputs(subject, problem), [array.shape for array in problem.inputs[:3]]
    for options, words in placed_options(subject, problem, name):
        _, _, of_value = subject.take_gradients(subject.differentiate_natively(*inputs, **options), shapes)
        assert_scattered(of_value, problem, words)


@law("every-word", Feature.MUTABLE, given=PROBLEMS)
def test_each_input_may_lie_anywhere_in_memory(subject: Subject, problem: Gather) -> None:
    """The output is that of the numbers wherever the query, the key or the value alone lies in memory."""
    for inputs, words in each_alone(subject, problem):
        assert_output(subject, problem, inputs, words)


@law("every-word", Feature.MUTABLE, Feature.HEADS, given=REPEATED_PROBLEMS)
def test_an_input_may_be_repeated_without_a_copy(subject: Subject, problem: Gather) -> None:
    """Batches and heads that are one in memory, with a stride of 0, count as so many."""
    for inputs, words in each_alone(subject, problem, placements=[Placement.REPEATED]):
        assert_output(subject, problem, inputs, words)


@law("every-word", Feature.MUTABLE, given=PROBLEMS_WITH_ONE_LENGTH)
def test_query_key_and_value_may_be_slices_of_one_buffer(subject: Subject, problem: Gather) -> None:
    """Query, key and value, or the last two, may be slices of one buffer, as one projection makes them."""
    (query, key, value), contiguous = problem.inputs, native_inputs(subject, problem)
    equally_wide = query.shape[-1] == value.shape[-1]
    for packing, together in ((Packing.COLUMNS, query.shape[1] == key.shape[1]), (Packing.HEADS, equally_wide)):
        for first in (0, 1) if together else ():
            slices = subject.packed(problem.inputs[first:], packing)
            if slices:
                words = f"with {', '.join(NAMES[first:2])} and value {packing}"
                assert_output(subject, problem, [*contiguous[:first], *slices], words)


@law("every-word", Feature.MUTABLE, Feature.HEADS, Feature.GROUPED_HEADS, given=PROBLEMS_WITH_GROUPED_HEADS)
def test_keys_and_values_of_grouped_heads_may_lie_anywhere_in_memory(subject: Subject, problem: Gather) -> None:
    """Query heads find their shared key head wherever the key or the value alone lies in memory."""
    for inputs, words in each_alone(subject, problem, ("key", "value")):
        assert_output(subject, problem, inputs, words)


@law("every-word", Feature.MUTABLE, given=WIDE_PROBLEMS)
def test_wide_inputs_may_lie_anywhere_in_memory(subject: Subject, problem: Gather) -> None:
    """With 64 columns or more and an option, the output is that of the numbers wherever each input alone lies."""
    for inputs, words in each_alone(subject, problem):
        assert_output(subject, problem, inputs, words)


@law("every-word", Feature.MUTABLE, Feature.MASK, given=PROBLEMS_WITH_A_MASK)
def test_a_mask_may_lie_anywhere_in_memory(subject: Subject, problem: Gather) -> None:
    """A mask hides the same keys wherever it lies in memory."""
    assert_option_may_lie_anywhere(subject, problem, "mask")


@law("every-word", Feature.MUTABLE, Feature.BIAS, given=PROBLEMS_WITH_A_BIAS)
def test_a_bias_may_lie_anywhere_in_memory(subject: Subject, problem: Gather) -> None:
    """A bias hides the same keys wherever it lies in memory."""
    assert_option_may_lie_anywhere(subject, problem, "bias")


@law("every-word", Feature.MUTABLE, given=PROBLEMS)
def test_offsets_may_be_beyond_32_bits(subject: Subject, problem: Gather) -> None:
    """An input whose rows lie more than 2³¹ elements apart gives the output of its copy."""
    for inputs, words in each_alone(subject, problem, placements=[Placement.FAR]):
        assert_output(subject, problem, inputs, words)


@law("every-word", Feature.HEADS, given=GRIDS)
def test_there_may_be_more_batches_and_heads_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each has the output of its own query, key and value."""
    assert_output(subject, problem, native_inputs(subject, problem), "")


@law("every-word", Feature.HEADS, Feature.GROUPED_HEADS, given=GRIDS_OF_GROUPS)
def test_there_may_be_more_query_heads_of_groups_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and query heads of groups, each has the output of its own query and key head."""
    assert_output(subject, problem, native_inputs(subject, problem), "")


@law("softmax", Feature.HEADS, Feature.LOG_SUM_EXP, given=GRIDS)
def test_there_may_be_more_log_sum_exps_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each has its log-sum-exp: 0 where one key scores 0 and others lower."""
    _, lse = answer_and_lse(subject, problem)
    assert_equal(lse, np.zeros(()))


@law("every-word", Step.GRADIENT, Feature.HEADS, given=GRIDS)
def test_there_may_be_more_gradients_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each value that is asked for gets its own upstream gradient."""
    backward = scattered(problem)
    assert_scattered(gradients(subject, backward).value, backward)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, given=GRADIENT_PROBLEMS)
def test_each_input_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Scatter) -> None:
    """The value of a key gets the upstream gradients of its queries wherever each input alone lies in memory."""
    shapes = [array.shape for array in problem.inputs[:3]]
    for inputs, words in each_alone(subject, problem):
        _, _, of_value = subject.take_gradients(subject.differentiate_natively(*inputs), shapes)
        assert_scattered(of_value, problem, words)


@law("every-word", Step.GRADIENT, Feature.MUTABLE, Feature.MASK, given=GRADIENT_PROBLEMS_WITH_A_MASK)
def test_a_mask_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Scatter) -> None:
    """The value of a key gets the upstream gradients of the queries that see it wherever the mask lies in memory."""
    assert_option_of_a_backward_pass_may_lie_anywhere(subject, problem, "mask")


@law("every-word", Step.GRADIENT, Feature.MUTABLE, Feature.BIAS, given=GRADIENT_PROBLEMS_WITH_A_BIAS)
def test_a_bias_of_a_backward_pass_may_lie_anywhere_in_memory(subject: Subject, problem: Scatter) -> None:
    """The value of a key gets the upstream gradients of the queries that see it wherever the bias lies in memory."""
    assert_option_of_a_backward_pass_may_lie_anywhere(subject, problem, "bias")
