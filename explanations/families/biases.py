"""Biases: scaled, of another sign, of another head, clipped, or not added where they should be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.formula import Weighed
from explanations.rounded import Rounded
from explanations.steps import Forward
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def _of_bias(change: Callable[[Array, Problem], Array]) -> Change:
    """Return a change of the bias, with all four axes, where there is one."""

    @np.errstate(all="ignore")
    def changed(problem: Problem) -> Problem:
        if problem.bias is None:
            return problem
        axes = (1,) * (4 - problem.bias.ndim)
        return replace(problem, bias=change(problem.bias.reshape(axes + problem.bias.shape), problem))

    return everywhere(changed)


def _of_numbers(change: Callable[[Array, Problem], Array]) -> Change:
    """Return a change of the numbers of a bias, which still hides where it is -∞."""

    def changed(bias: Array, problem: Problem) -> Array:
        hides = np.isneginf(bias)
        return np.where(hides, bias, change(np.where(hides, 0.0, bias), problem))

    return _of_bias(changed)


def _scale(problem: Problem) -> float:
    return problem.d_k**-0.5 if problem.scale is None else problem.scale


def _transposed(bias: Array) -> Array:
    return bias.swapaxes(-1, -2) if bias.shape[-1] == bias.shape[-2] else bias


def _of_key_heads(bias: Array, problem: Problem) -> Array:
    """Return the bias of as many first heads as there are key heads, repeated for their query heads."""
    return bias if bias.shape[1] == 1 else np.repeat(bias[:, : problem.key.shape[1]], problem.group, axis=1)


def _shown(shows: Callable[[Array], Array]) -> Change:
    """Return a change of what a bias hides: all but what is shown."""

    def change(problem: Problem) -> Problem:
        if problem.bias is None:
            return problem
        shown = np.broadcast_to(shows(problem.bias), problem.logits_shape)
        return replace(problem, mask=shown if problem.mask is None else problem.mask & shown)

    return everywhere(change)


def _shown_by_either(problem: Problem) -> Problem:
    if problem.bias is None or problem.mask is None:
        return problem
    return replace(problem, mask=problem.mask | (problem.bias > 0))


_NUMBERS = (
    Changed(
        "bias-times-scale",
        "adds the bias before the scale, which multiplies it too",
        _of_numbers(lambda bias, problem: bias * _scale(problem)),
    ),
    Changed(
        "bias-of-infinity-times-scale",
        "adds the bias before the scale, which multiplies it too, and -∞ with it",
        _of_bias(lambda bias, problem: bias * _scale(problem)),
    ),
    Changed(
        "bias-over-scale",
        "divides the bias by the scale",
        _of_numbers(lambda bias, problem: bias / _scale(problem) if _scale(problem) else bias),
    ),
    Changed(
        "bias-over-root",
        "divides the bias by √d_k, whatever the scale",
        _of_numbers(lambda bias, problem: bias * problem.d_k**-0.5),
    ),
    Changed(
        "bias-to-base-two",
        "adds the bias to scores that are exponents of 2, without log₂ e",
        _of_numbers(lambda bias, _: bias * math.log(2)),
    ),
    Changed("bias-times-log-e", "multiplies the bias by log₂ e", _of_numbers(lambda bias, _: bias * math.log2(math.e))),
    Changed("bias-subtracted", "subtracts the bias", _of_numbers(lambda bias, _: -bias)),
    Changed("bias-twice", "adds the bias twice", _of_numbers(lambda bias, _: 2 * bias)),
    Changed("bias-without-sign", "adds the size of the bias", _of_numbers(lambda bias, _: np.abs(bias))),
    Changed("bias-not-above-zero", "adds no bias above 0", _of_numbers(lambda bias, _: np.minimum(bias, 0.0))),
    Changed(
        "bias-taken-for-mask-alone", "hides where the bias is -∞ and adds none of it", _of_numbers(lambda b, _: 0 * b)
    ),
    *(
        Changed(
            f"bias-clipped-at-{limit}",
            f"clips the bias to ±{limit}",
            _of_numbers(lambda bias, _, limit=limit: bias.clip(-limit, limit)),  # type: ignore[misc]
        )
        for limit in (1, 2, 4, 8, 16)
    ),
    *(
        Changed(
            f"bias-not-below-{-floor}",
            f"takes {floor} for a bias of -∞, which does not hide",
            _of_bias(lambda bias, _, floor=floor: np.maximum(bias, floor)),  # type: ignore[misc]
        )
        for floor in (-20, -30, -50, -100, -1000, -10000)
    ),
)
_AXES = (
    Changed("bias-of-first-head", "uses the bias of the first head for all", _of_bias(lambda bias, _: bias[:, :1])),
    Changed("bias-of-first-batch", "uses the bias of the first batch for all", _of_bias(lambda bias, _: bias[:1])),
    Changed(
        "bias-of-first-query", "uses the bias of the first query for all", _of_bias(lambda bias, _: bias[..., :1, :])
    ),
    Changed("bias-of-first-key", "uses the bias of the first key for all", _of_bias(lambda bias, _: bias[..., :1])),
    Changed(
        "bias-of-last-head", "reads the bias of heads in the reverse order", _of_bias(lambda bias, _: bias[:, ::-1])
    ),
    Changed(
        "bias-transposed",
        "transposes the bias where there are as many queries as keys",
        _of_bias(lambda bias, _: _transposed(bias)),
    ),
    Changed(
        "bias-of-key-head",
        "reads the bias by key head in place of query head, in grouped heads",
        _of_bias(_of_key_heads),
    ),
)
_HIDING = (
    Changed(
        "bias-of-zero-hides",
        "takes the bias for a mask, too: keys with a bias of 0 are hidden",
        _shown(lambda bias: bias != 0),
    ),
    Changed(
        "bias-not-above-zero-hides",
        "takes the bias for a mask, too: only keys with a bias above 0 are visible",
        _shown(lambda bias: bias > 0),
    ),
    Changed(
        "bias-or-mask",
        "shows a key that either the mask or a bias above 0 shows",
        everywhere(_shown_by_either),
    ),
)


def _multiplied(forward: Forward) -> Rounded:
    if forward.problem.bias is None:
        return forward.weights
    return forward.softmax(forward.capped.times(forward.bias), forward.seen)


def _left_out_of_denominator(forward: Forward) -> Rounded:
    if forward.problem.bias is None:
        return forward.weights
    exponentials = Rounded.of(np.broadcast_to(forward.bias, forward.seen.shape), forward.roundings).exp()
    return (forward.softmax(forward.capped, np.ones_like(forward.seen)) * exponentials).where(forward.seen)


def _left_out_of_masked_denominator(forward: Forward) -> Rounded:
    if forward.problem.bias is None:
        return forward.weights
    exponentials = Rounded.of(np.broadcast_to(forward.bias, forward.seen.shape), forward.roundings).exp()
    return (forward.softmax(forward.capped, forward.seen) * exponentials).where(forward.seen)


def _added_to_weights(forward: Forward) -> Rounded:
    if forward.problem.bias is None:
        return forward.weights
    return forward.softmax(forward.capped, _seen_without_bias(forward)).plus(forward.bias).where(forward.seen)


def _seen_without_bias(forward: Forward) -> Array:
    return replace(forward.problem, bias=None).seen


def _multiplies_weights(forward: Forward) -> Rounded:
    if forward.problem.bias is None:
        return forward.weights
    return forward.softmax(forward.capped, _seen_without_bias(forward)).times(forward.bias).where(forward.seen)


_FORMULAS = (
    Weighed("bias-multiplies", "multiplies the scores by the bias in place of adding it", _multiplied),
    Weighed("bias-not-in-denominator", "leaves the bias out of the denominator", _left_out_of_denominator),
    Weighed(
        "bias-not-in-masked-denominator", "leaves the bias out of the denominator", _left_out_of_masked_denominator
    ),
    Weighed("bias-added-to-weights", "adds the bias to the weights, after the softmax", _added_to_weights),
    Weighed("bias-multiplies-weights", "multiplies the weights by the bias, after the softmax", _multiplies_weights),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *(variant for one in (*_NUMBERS, *_AXES, *_HIDING) for variant in one.anywhere),
    *(variant for one in _FORMULAS for variant in one.anywhere),
)
