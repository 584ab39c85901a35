"""Gradients at the sizes and scores of real models: clauses `matrix`, `softmax` and `every-word`."""

from dataclasses import replace
from itertools import combinations
from typing import Any

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.gradients import assert_all_same_bits, assert_inside_bounds, expected_gradients, gradients
from properties.drawing.exact_lists import GROUPS, HIDING, few_keys_backward, shapes
from properties.drawing.gradient_options import LOW_SCORES, REAL_HEADS, SEVERAL_BLOCKS, WIDTHS_WITH_OPTIONS
from properties.drawing.gradients import Backward
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.real_sizes import BATCHES_OF_MASKS, HEADS, WINDOWS

TIMES = 4
"""Calls beyond the first: an order that is drawn anew for each is unlikely to be the same one every time."""

ENDS = (15, 17, 33, 64, 65, 127, 129, 256, 257, 513, 1025, 2049, 4097, 8193, 12289, 16385)
"""Numbers of keys, most of which end in a block of their own."""
_OPTIONS: tuple[dict[str, Any], ...] = (
    {"mask": "padding"},
    {"bias": "normal"},
    {"causal": True},
    {"window": 100},
    {"softcap": 8.0},
    {"scale": 0.25},
)
ONE_OR_TWO = [
    *(Options(**one) for one in (*_OPTIONS, {"scale": -0.5}, {"scale": 0.0})),
    *(Options(**one, **other) for one, other in combinations(_OPTIONS, 2)),
]
"""Each option, and each two."""
AT_BLOCKS = [
    Plan(heads=1, queries=queries, keys=keys, d_k=4, d_v=1, seed=seed, options=replace(one, group=seed % groups + 1))
    for keys, queries, groups in ((256, 5, 3), (4097, 2, 1))
    for seed, one in enumerate(ONE_OR_TWO)
] + [
    *(
        Plan(queries=5, keys=9, d_k=4, d_v=4, seed=seed, options=replace(one, group=2))
        for seed, one in enumerate(ONE_OR_TWO)
    ),
    Plan(queries=2, keys=1025, d_k=4, d_v=1, options=Options(group=3)),
]
"""Full blocks and one key more, with enough queries for one to see several keys, be they causal; and one group."""
FEW_KEYS = few_keys_backward(
    *shapes(ENDS),
    *shapes(ENDS[::2], queries=(1, 3, 65), groups=GROUPS),
    *shapes(ENDS[1::2], queries=(65, 3), options=HIDING),
    *HEADS,
    *BATCHES_OF_MASKS,
    whole=(
        *AT_BLOCKS,
        Plan(queries=129, keys=513, d_k=16, d_v=1, seed=1),
        *(replace(plan, d_k=4, d_v=1) for plan in WINDOWS),
    ),
)


@law("matrix", Step.GRADIENT, given=REAL_HEADS)
def test_gradients_are_right_at_the_widths_of_real_heads(subject: Subject, problem: Backward) -> None:
    """The gradients are right for heads as wide as those of models, 64 to 256, values narrower than keys among them."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("softmax", Step.GRADIENT, given=LOW_SCORES)
def test_gradients_are_right_where_all_scores_are_very_low(subject: Subject, problem: Backward) -> None:
    """The gradients are right where every score is so low that its exponential alone is zero."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, given=SEVERAL_BLOCKS)
def test_gradients_over_several_blocks_are_the_same_in_every_call(subject: Subject, problem: Backward) -> None:
    """The same call gives the same bits every time, however many blocks of queries and keys there are to sum over."""
    first = gradients(subject, problem)
    for _ in range(TIMES):
        assert_all_same_bits(subject.gradient(*problem.inputs, **problem.options), first)


@law("matrix", Step.GRADIENT, given=WIDTHS_WITH_OPTIONS)
def test_gradients_are_right_for_each_width_with_each_option(subject: Subject, problem: Backward) -> None:
    """The gradients are right for each width of real heads, narrower values too, with each option and each scale."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, given=FEW_KEYS)
def test_gradients_of_a_few_keys_among_many_are_right(subject: Subject, problem: Backward) -> None:
    """The gradients are right where a query weighed a few keys and no other, of up to 16,385: the last ones, or any."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))
