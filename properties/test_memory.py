"""The place of each array in memory: strides, gaps, offsets, shared buffers and very many heads: clause `every-word`.

Each query asks for one key, so that a row that is read from another place comes back as the value of another key.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.placement import NEAR, Placement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer_and_lse, assert_equal, assert_same_bits, native_inputs
from properties.checks.exact import assert_gathered
from properties.checks.placed import each_alone, packed, placed_options
from properties.drawing.claims import only
from properties.drawing.exact import Gather, GatherPlan
from properties.drawing.memory import GRIDS, PLANS_WITH_A_BIAS, PLANS_WITH_A_MASK, SHAPES, GridPlan, RepeatedPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan

_OF_SHAPES = [GatherPlan(of=plan) for plan in SHAPES]
_OF_GROUPS = [
    GatherPlan(of=Plan(batch=2, heads=heads, queries=n, keys=6, d_k=8, d_v=8, seed=n, options=Options(group=group)))
    for heads, group, n in ((2, 2, 1), (2, 3, 4), (1, 4, 2))
]
PROBLEMS = only(*_OF_SHAPES)
PROBLEMS_WITH_GROUPED_HEADS = only(*_OF_GROUPS)
PROBLEMS_OF_ALL_KINDS = only(*_OF_SHAPES, *_OF_GROUPS)
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
PROBLEMS_WITH_A_MASK = only(*(GatherPlan(of=plan) for plan in PLANS_WITH_A_MASK))
PROBLEMS_WITH_A_BIAS = only(*(GatherPlan(of=plan) for plan in PLANS_WITH_A_BIAS))
MANY_HEADS = only(*GRIDS)
GRIDS_OF_GROUPS = only(GridPlan(batch=32_769, group=2), GridPlan(batch=2, heads=16_411, group=3))


def assert_output(subject: Subject, problem: Gather, inputs: Sequence[Any], under: str, **options: Any) -> None:
    """Raise `Disagreement` unless native inputs give the values that are asked for, to the bit."""
    output = subject.attend_natively(*inputs, **(options or subject.give_options(problem.options)))
    assert_gathered(subject.take(output, problem.rows.shape), problem, under)


def assert_option_may_lie_anywhere(
    subject: Subject, problem: Gather, name: str, placements: Sequence[Placement] = NEAR
) -> None:
    """Raise `Disagreement` unless the output is right with a mask or a bias alone in every placement."""
    inputs = native_inputs(subject, problem)
    for options, words in placed_options(subject, problem, name, placements):
        assert_output(subject, problem, inputs, words, **options)


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
    for inputs, words in packed(subject, problem):
        assert_output(subject, problem, inputs, words)


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


@law("every-word", Feature.MUTABLE, Feature.MASK, given=PROBLEMS_WITH_A_MASK)
def test_offsets_of_a_mask_may_be_beyond_32_bits(subject: Subject, problem: Gather) -> None:
    """A mask whose rows lie more than 2³¹ elements apart hides the same keys."""
    assert_option_may_lie_anywhere(subject, problem, "mask", [Placement.FAR])


@law("every-word", Feature.MUTABLE, Feature.BIAS, given=PROBLEMS_WITH_A_BIAS)
def test_offsets_of_a_bias_may_be_beyond_32_bits(subject: Subject, problem: Gather) -> None:
    """A bias whose rows lie more than 2³¹ elements apart hides the same keys."""
    assert_option_may_lie_anywhere(subject, problem, "bias", [Placement.FAR])


@law("every-word", Feature.MUTABLE, given=PROBLEMS_OF_ALL_KINDS)
def test_inputs_are_not_written_wherever_they_lie(subject: Subject, problem: Gather) -> None:
    """A call leaves query, key and value unchanged wherever each lies in memory, also when grouped heads decode."""
    for inputs, words in each_alone(subject, problem):
        subject.attend_natively(*inputs, **subject.give_options(problem.options))
        for native, array in zip(inputs, problem.inputs, strict=True):
            assert_same_bits(subject.take(native, array.shape), array, words)


@law("every-word", Feature.HEADS, given=MANY_HEADS)
def test_there_may_be_more_batches_and_heads_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each has the output of its own query, key and value."""
    assert_output(subject, problem, native_inputs(subject, problem), "")


@law("every-word", Feature.HEADS, Feature.GROUPED_HEADS, given=GRIDS_OF_GROUPS)
def test_there_may_be_more_query_heads_of_groups_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and query heads of groups, each has the output of its own query and key head."""
    assert_output(subject, problem, native_inputs(subject, problem), "")


@law("softmax", Feature.HEADS, Feature.LOG_SUM_EXP, given=MANY_HEADS)
def test_there_may_be_more_log_sum_exps_than_16_bits_count(subject: Subject, problem: Gather) -> None:
    """With more than 65,535 batches and heads, each has its log-sum-exp: 0 where one key scores 0 and others lower."""
    _, lse = answer_and_lse(subject, problem)
    assert_equal(lse, np.zeros(()))
