"""Soft caps: of another shape, in another place among scale, bias and mask, or on where none was requested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.formula import Weighed, Weights
from explanations.rounded import Rounded
from explanations.steps import Forward
from properties.drawing.problem import Problem


def _of_cap(change: Callable[[float, Problem], Problem]) -> Change:
    """Return a change where there is a soft cap."""
    return everywhere(lambda problem: problem if problem.softcap is None else change(problem.softcap, problem))


def _not_requested(cap: float) -> Change:
    """Return a change that caps where no soft cap is requested."""
    return everywhere(lambda problem: problem if problem.softcap else replace(problem, softcap=cap))


def _scale(problem: Problem) -> float:
    return problem.d_k**-0.5 if problem.scale is None else problem.scale


def _before(problem: Problem, cap: float, factor: float) -> Problem:
    """Return the problem whose scores are capped before they are multiplied by a factor, a part of the scale."""
    return replace(problem, softcap=cap * abs(factor)) if factor else problem


def _before_a_given_scale(cap: float, problem: Problem) -> Problem:
    return problem if problem.scale is None else _before(problem, cap, problem.scale)


_CHANGED = (
    Changed(
        "cap-before-scale",
        "applies the soft cap before the scale",
        _of_cap(lambda cap, problem: _before(problem, cap, _scale(problem))),
    ),
    Changed(
        "cap-times-scale",
        "divides scores that are not scaled by the soft cap, and scales after it, where a scale is given",
        _of_cap(_before_a_given_scale),
    ),
    Changed(
        "scale-after-cap-too",
        "applies the scale once more after the soft cap",
        _of_cap(
            lambda cap, problem: replace(
                problem, scale=_scale(problem) ** 2, softcap=cap * abs(_scale(problem)) or problem.softcap
            )
        ),
    ),
    Changed(
        "cap-does-not-divide",
        "takes c·tanh(s) in place of c·tanh(s/c) for the soft cap c",
        _of_cap(lambda cap, problem: replace(problem, scale=_scale(problem) * cap)),
    ),
    Changed(
        "cap-does-not-multiply",
        "takes tanh(s/c) in place of c·tanh(s/c) for the soft cap c",
        _of_cap(lambda cap, problem: replace(problem, scale=_scale(problem) / cap, softcap=1.0)),
    ),
    Changed(
        "cap-multiplies-first",
        "takes tanh(s·c)/c in place of c·tanh(s/c) for the soft cap c",
        _of_cap(lambda cap, problem: replace(problem, softcap=1 / cap)),
    ),
    Changed(
        "cap-rounded",
        "rounds the soft cap to a whole number",
        _of_cap(lambda cap, problem: replace(problem, softcap=max(float(round(cap)), 1.0))),
    ),
    Changed(
        "cap-cut",
        "cuts the soft cap to a whole number",
        _of_cap(lambda cap, problem: replace(problem, softcap=max(float(int(cap)), 1.0))),
    ),
    *(
        Changed(
            f"cap-of-{cap}",
            f"applies a soft cap of {cap} that was not requested",
            _not_requested(float(cap)),
        )
        for cap in (5, 8, 10, 15, 20, 30, 50, 100)
    ),
    *(
        Changed(
            f"cap-always-{cap}",
            f"applies a soft cap of {cap}, whatever is requested",
            _of_cap(lambda _, problem, cap=cap: replace(problem, softcap=float(cap))),  # type: ignore[misc]
        )
        for cap in (20, 30, 50)
    ),
)


def _hard(forward: Forward) -> Rounded:
    cap = forward.problem.softcap
    if cap is None:
        return forward.weights
    scores = forward.scaled.at(lambda scores: scores.clip(-cap, cap)).plus(forward.bias)
    return forward.softmax(scores, forward.seen)


def _clipped(limit: float) -> Weights:
    """Return weights of scores that are clipped."""

    def weights(forward: Forward) -> Rounded:
        scores = forward.scaled.at(lambda scores: scores.clip(-limit, limit))
        return forward.softmax(forward.capping(scores).plus(forward.bias), forward.seen)

    return weights


def _after_bias(forward: Forward) -> Rounded:
    if forward.problem.softcap is None or forward.problem.bias is None:
        return forward.weights
    return forward.softmax(forward.capping(forward.scaled.plus(forward.bias)), forward.seen)


def _after_mask(forward: Forward) -> Rounded:
    return _hidden_at_the_cap(forward, lambda: forward.logits)


def _after_mask_and_bias(forward: Forward) -> Rounded:
    return _hidden_at_the_cap(forward, lambda: forward.capping(forward.scaled.plus(forward.bias)))


def _hidden_at_the_cap(forward: Forward, logits: Callable[[], Rounded]) -> Rounded:
    """Return the weights of logits among which those of hidden keys are -c, for a soft cap c."""
    cap = forward.problem.softcap
    if cap is None:
        return forward.weights
    sees = np.broadcast_to(forward.seen.any(-1, keepdims=True), forward.seen.shape)
    return forward.softmax(logits().where(forward.seen, -cap), sees)


def _overflowing(forward: Forward) -> Rounded:
    """Return weights where tanh x is (1 - e⁻²ˣ) / (1 + e⁻²ˣ), no number where the exponential overflows."""
    cap = forward.problem.softcap
    if cap is None:
        return forward.weights
    argument = -2 * forward.scaled.value / cap
    error = 3 * forward.scaled.error / cap + 4 * forward.roundings.u * np.abs(argument)
    largest = np.log(forward.roundings.accumulate.max)
    value = np.where(argument - error > largest, np.nan, forward.weights.value)
    spread = np.isnan(value).any(-1, keepdims=True)
    unknown = (np.abs(argument - largest) <= error).any(-1, keepdims=True)
    errors = np.where(spread, 0.0, np.where(unknown, np.inf, forward.weights.error))
    return Rounded(np.where(spread, np.nan, value), errors, forward.roundings)


_FORMULAS = (
    Weighed("cap-is-hard", "clips scores at the soft cap in place of squeezing them by tanh", _hard),
    Weighed("cap-after-bias", "applies the soft cap after the bias", _after_bias),
    Weighed(
        "cap-after-mask",
        "applies the soft cap after the mask: hidden keys get a score of -c in place of -∞",
        _after_mask,
    ),
    Weighed(
        "cap-after-mask-and-bias",
        "applies the soft cap after the bias and the mask: hidden keys get a score of -c in place of -∞",
        _after_mask_and_bias,
    ),
    Weighed("cap-overflows", "computes the tanh of the soft cap from exponentials that overflow", _overflowing),
    *(
        Weighed(f"scores-clipped-at-{limit}", f"clips scores to ±{limit}", _clipped(limit))
        for limit in (5, 8, 10, 16, 20, 30, 50, 80, 88, 100)
    ),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *(variant for one in _CHANGED for variant in one.anywhere),
    *(variant for one in _FORMULAS for variant in one.anywhere),
)
