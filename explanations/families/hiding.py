"""Hidden keys: a finite number in place of -∞, added or not, and masks that are added or multiplied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.formula import Weighed, Weights
from explanations.rounded import Rounded
from explanations.steps import Forward
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
NUMBERS = (-10000, -1000, -100, -50, -30, -20, -10, -30000, -65504)
"""The numbers that kernels add in place of -∞."""
Hidden = Callable[[Problem], Array]


def _by_mask(problem: Problem) -> Array:
    """Return what the mask hides."""
    return np.zeros((), bool) if problem.mask is None else ~problem.mask


def _by_position(problem: Problem) -> Array:
    """Return what causality or a window hides."""
    return ~replace(problem, mask=None, bias=None).seen


def _by_any(problem: Problem) -> Array:
    return ~replace(problem, bias=None).seen


def _adding(number: float, hidden: Hidden, *, to_all: bool = False) -> Change:
    """Return a change by which keys are hidden by a number that is added to their scores.

    Rows that see nothing are as the dialect says, or `to_all` as the formula.
    """

    def change(problem: Problem) -> Problem:
        where = hidden(problem)
        if not where.any():
            return problem
        bias = np.zeros(problem.logits_shape) if problem.bias is None else problem.bias
        added = np.where(where, bias + number, bias)
        if not to_all:
            added = np.where(problem.seen.any(-1, keepdims=True), added, -np.inf)
        given = replace(problem, bias=added)
        if hidden is not _by_position:
            given = replace(given, mask=None)
        return given if hidden is _by_mask else replace(given, causal=False, window=None)

    return everywhere(change)


def _set_to(number: float, *, to_all: bool = False) -> Weights:
    """Return weights of hidden keys whose scores are a number; or `to_all` for rows that see nothing, too."""

    def weights(forward: Forward) -> Rounded:
        visible = replace(forward.problem, mask=None).seen & (to_all | forward.sees)
        return forward.softmax(forward.logits.where(forward.seen, number), visible)

    return weights


def _unmasked(problem: Problem) -> Problem:
    """Return a problem whose mask hides nothing from rows that it hides all from."""
    if problem.mask is None:
        return problem
    return replace(problem, mask=problem.mask | ~problem.mask.any(-1, keepdims=True))


def _one_for_visible(problem: Problem) -> Problem:
    """Return a problem whose mask is added as 1 and 0."""
    if problem.mask is None:
        return problem
    bias = np.where(problem.mask, 1.0, 0.0) + (0.0 if problem.bias is None else problem.bias)
    return replace(problem, bias=np.where(problem.seen.any(-1, keepdims=True), bias, -np.inf), mask=None)


_ADDED = tuple(
    Changed(
        f"{name}-{'too-' if to_all else ''}adds-{-number}",
        f"hides what {what} by a finite number in place of -∞, such as {number} added to its scores",
        _adding(number, hidden, to_all=to_all),
    )
    for name, what, hidden in (
        ("mask", "the mask hides", _by_mask),
        ("position", "causality or a window hides", _by_position),
        ("hidden", "a mask, causality or a window hides", _by_any),
    )
    for to_all in (False, True)
    for number in NUMBERS
)
_CHANGED = (
    Changed(
        "unmasked-rows",
        "attends to all keys in rows whose keys are all hidden, as a finite number in place of -∞ makes it",
        everywhere(_unmasked),
    ),
    Changed("mask-added", "adds True and False to the scores as 1 and 0", everywhere(_one_for_visible)),
)
_NUMBERS = (
    Weighed(
        "mask-multiplied", "multiplies scores by the mask: those of hidden keys are 0 in place of -∞", _set_to(0.0)
    ),
    *(
        Weighed(
            f"hidden-are-{'too-' if to_all else ''}{-number}",
            f"hides keys by a finite number in place of -∞, such as scores of {number}",
            _set_to(number, to_all=to_all),
            unseen_too=to_all,
        )
        for to_all in (False, True)
        for number in NUMBERS
    ),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *(variant for one in _CHANGED for variant in one.anywhere),
    *(variant for one in _NUMBERS for variant in one.anywhere),
    *_ADDED,
)
