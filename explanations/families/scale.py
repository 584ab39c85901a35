"""The scale: not 1/√d_k of the width of the keys, or not the one that was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from explanations.aspect import GRADIENTS, OUTPUT
from explanations.explanation import Change, Changed, everywhere
from properties.drawing.problem import Problem


def _by_default(scale: Callable[[Problem], float]) -> Change:
    """Return a change of the scale where none is given."""
    return everywhere(lambda problem: problem if problem.scale is not None else replace(problem, scale=scale(problem)))


def _given(scale: Callable[[float, Problem], float | None]) -> Change:
    """Return a change of the scale where one is given."""
    return everywhere(
        lambda problem: problem if problem.scale is None else replace(problem, scale=scale(problem.scale, problem))
    )


def _always(scale: Callable[[float, Problem], float]) -> Change:
    """Return a change of the scale, given or not."""
    return everywhere(lambda problem: replace(problem, scale=scale(_scale(problem), problem)))


def _scale(problem: Problem) -> float:
    return problem.d_k**-0.5 if problem.scale is None else problem.scale


def _width_of_all_heads(problem: Problem) -> int:
    return problem.d_k * int(problem.query.shape[1])


_DEFAULT = (
    Changed("no-scale", "does not scale the scores", _by_default(lambda _: 1.0)),
    Changed(
        "scale-of-value-width",
        "scales by 1/√d_v in place of 1/√d_k",
        _by_default(lambda problem: problem.value.shape[-1] ** -0.5 if problem.value.shape[-1] else 1.0),
    ),
    Changed("scale-by-width", "scales by 1/d_k in place of 1/√d_k", _by_default(lambda problem: 1 / problem.d_k)),
    Changed(
        "scale-by-fourth-root",
        "scales by 1/√√d_k in place of 1/√d_k",
        _by_default(lambda problem: problem.d_k**-0.25),
    ),
    Changed("scale-is-root", "multiplies by √d_k in place of dividing by it", _by_default(lambda one: one.d_k**0.5)),
    Changed(
        "scale-of-all-heads",
        "scales by the width of all heads together, 1/√(heads·d_k), in place of 1/√d_k",
        _by_default(lambda problem: _width_of_all_heads(problem) ** -0.5),
    ),
    Changed(
        "scale-of-key-count",
        "scales by 1/√n_k, of the number of keys, in place of 1/√d_k",
        _by_default(lambda problem: max(problem.key.shape[-2], 1) ** -0.5),
    ),
    Changed(
        "scale-of-query-count",
        "scales by 1/√n_q, of the number of queries, in place of 1/√d_k",
        _by_default(lambda problem: max(problem.query.shape[-2], 1) ** -0.5),
    ),
    Changed(
        "scale-of-head-count",
        "scales by 1/√heads in place of 1/√d_k",
        _by_default(lambda problem: problem.query.shape[1] ** -0.5),
    ),
    Changed(
        "scale-grows-with-length",
        "scales by log(n_k + 1)/√d_k, which grows with the number of keys, in place of 1/√d_k",
        _by_default(lambda problem: math.log(problem.key.shape[-2] + 1) / math.sqrt(problem.d_k)),
    ),
    Changed(
        "scale-of-next-power-of-two",
        "scales by the width that the head is padded to, the next power of two, in place of d_k",
        _by_default(lambda problem: (1 << (problem.d_k - 1).bit_length()) ** -0.5),
    ),
    Changed(
        "scale-of-64",
        "scales by 1/8, right for a width of 64 alone, in place of 1/√d_k",
        _by_default(lambda _: 64**-0.5),
    ),
)
_GIVEN = (
    Changed(
        "scale-of-zero-is-default",
        "takes a scale of 0 for none, and scales by 1/√d_k",
        _given(lambda scale, _: scale or None),
    ),
    Changed("given-scale-twice", "applies a scale that is given twice", _given(lambda scale, _: scale * scale)),
    Changed("scale-without-sign", "loses the sign of a scale that is given", _given(lambda scale, _: abs(scale))),
    Changed(
        "given-scale-divides",
        "divides by a scale that is given in place of multiplying",
        _given(lambda scale, _: 1 / scale if scale else math.inf),
    ),
    Changed(
        "given-scale-on-top",
        "applies a scale that is given on top of 1/√d_k",
        _given(lambda scale, problem: scale / math.sqrt(problem.d_k)),
    ),
    Changed(
        "negative-scale-is-default",
        "takes a scale below 0 for none, and scales by 1/√d_k",
        _given(lambda scale, _: scale if scale >= 0 else None),
    ),
    Changed("given-scale-ignored", "ignores a scale that is given", _given(lambda _scale, _problem: None)),
)
_ALL = (
    Changed(
        "scale-twice",
        "applies the scale twice",
        _always(lambda scale, _: scale * scale),
    ),
    Changed(
        "base-two",
        "takes powers of 2 in place of e, without log₂ e in the scale",
        everywhere(lambda problem: _times(problem, math.log(2))),
        (OUTPUT, GRADIENTS),
    ),
    Changed(
        "scale-with-log-e-twice",
        "multiplies the scores by log₂ e and still takes powers of e",
        everywhere(lambda problem: _times(problem, math.log2(math.e))),
        (OUTPUT, GRADIENTS),
    ),
)


def _times(problem: Problem, factor: float) -> Problem:
    """Return a problem whose logits are all multiplied by a factor."""
    return replace(
        problem,
        scale=_scale(problem) * factor,
        softcap=None if problem.softcap is None else problem.softcap * factor,
        bias=None if problem.bias is None else problem.bias * factor,
    )


EXPLANATIONS = tuple(variant for one in (*_DEFAULT, *_GIVEN, *_ALL) for variant in one.anywhere)
