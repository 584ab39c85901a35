"""Inputs, masks and biases that lie elsewhere in memory, each alone, with words for where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from attention_tests.engine.measurements import record_count
from attention_tests.execution.placement import NEAR, Packing, Placement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import native_inputs
from properties.drawing.problem import Problem

NAMES = ("query", "key", "value", "upstream gradient")


def each_alone(
    subject: Subject, problem: Problem, names: Sequence[str] = NAMES, placements: Sequence[Placement] = NEAR
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


def packed(subject: Subject, problem: Problem) -> Iterator[tuple[list[Any], str]]:
    """Yield the native inputs as slices of one buffer, query, key and value or the last two, and words for it."""
    (query, key, value), contiguous = problem.inputs[:3], native_inputs(subject, problem)
    equally_wide = query.shape[-1] == value.shape[-1]
    for packing, together in ((Packing.COLUMNS, query.shape[1] == key.shape[1]), (Packing.HEADS, equally_wide)):
        for first in (0, 1) if together else ():
            slices = subject.packed(problem.inputs[first:3], packing)
            if slices:
                words = f"with {', '.join(NAMES[first:2])} and value {packing}"
                yield [*contiguous[:first], *slices, *contiguous[3:]], words


def placed_options(
    subject: Subject, problem: Problem, name: str, placements: Sequence[Placement] = NEAR
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the options with a mask or a bias in each placement, and words for it."""
    option, options = (
        np.broadcast_to(getattr(problem, name), problem.logits_shape),
        subject.give_options(problem.options),
    )
    for view, words in held(subject.option_placed(name, option, placements), placements):
        yield options | {name: view}, f"with the {name} alone {words}"
