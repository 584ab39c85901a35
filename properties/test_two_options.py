"""Exactly two options in one call: clauses `every-word` and `scale`.

A library chooses its kernel by the options of a call, and some are for two options and nothing else: for a mask with
causality, say, or for a window with a soft cap. Problems with many options at once (test_options.py) never get there.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from attention_tests import Feature
from attention_tests.engine.law import Stream, law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.masks import BIASES, MASKS
from properties.drawing.problem import Problem
from properties.drawing.streams import CAPS, OneOf, OptionChoices, problems

CHOICES: dict[str, Sequence[Any]] = {
    "masks": tuple(MASKS),
    "biases": tuple(BIASES),
    "causal": (True,),
    "windows": (1, 2, 3, 8, 16),
    "softcaps": CAPS,
    "groups": (2, 3),
    "scales": (0.25, 2.0),
}
AXES = ("bhqk", "b11k")
"""A mask or a bias of full shape, or one row for each batch, as padding has."""
HIDING = frozenset({Feature.CAUSAL, Feature.WINDOW})
BESIDE_A_CAP = HIDING | {Feature.MASK, Feature.BIAS, Feature.GROUPED_HEADS, Feature.SCALE}


def pairs(*names: tuple[str, str]) -> Stream:
    """Return a stream of problems with two options each: one of the named pairs."""
    return problems(
        options=OneOf([OptionChoices(axes=AXES, **{name: CHOICES[name] for name in pair}) for pair in names])
    )


MASK = pairs(("masks", "causal"), ("masks", "windows"))
BIAS = pairs(("biases", "masks"), ("biases", "causal"), ("biases", "windows"))
SOFT_CAP = pairs(*(("softcaps", name) for name in CHOICES if name != "softcaps"))
SCALE_OR_GROUPS = pairs(
    *(pair for pair in combinations(CHOICES, 2) if {"groups", "scales"} & {*pair} and "softcaps" not in pair)
)


@law("every-word", Feature.MASK, Feature.COMBINED_MASKS, HIDING, given=MASK)
def test_a_mask_is_applied_with_causality_or_a_window(subject: Subject, problem: Problem) -> None:
    """With a mask, and with causality or a window, a query attends only to the tokens that both allow."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.BIAS, Feature.COMBINED_MASKS, HIDING | {Feature.MASK}, given=BIAS)
def test_a_bias_is_added_where_nothing_is_hidden(subject: Subject, problem: Problem) -> None:
    """With a bias, and with a mask, causality or a window, the bias is added to the scores that are left."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("scale", Feature.SOFTCAP, BESIDE_A_CAP, given=SOFT_CAP)
def test_a_soft_cap_is_applied_after_the_scale_and_before_all_else(subject: Subject, problem: Problem) -> None:
    """With a soft cap and one other option, the cap comes after a scale, and before a bias and a mask."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", frozenset({Feature.SCALE, Feature.GROUPED_HEADS}), given=SCALE_OR_GROUPS)
def test_a_scale_or_grouped_heads_work_with_one_other_option(subject: Subject, problem: Problem) -> None:
    """With a scale or grouped heads and one other option, both are applied."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))
