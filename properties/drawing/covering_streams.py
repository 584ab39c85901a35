"""Streams of the covering table: a call for each row, the log-sum-exp of a row, and the way back of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.circumstances import AnyPlan, plan_of
from properties.drawing.covering import rows_for
from properties.drawing.exact_lists import MOST_TERMS, MOST_WEIGHTS, listed, shapes
from properties.drawing.few_keys import FewKeysBackwardPlan, FewKeysPlan
from properties.drawing.gradients import BackwardPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.scatter import ScatterPlan

MANY_KEYS = 64
"""The number of keys beyond which each that weighs like all others has next to no gradient."""

ONE_OPTION = (
    Options(mask="most"),
    Options(bias="normal"),
    Options(causal=True),
    Options(window=2),
    Options(softcap=5.0),
)
SIGNS = tuple(
    replace(plan, regimes=("normal",), options=replace(plan.options, scale=scale))
    for plan in shapes((7,) * len(ONE_OPTION), options=ONE_OPTION, heads=(2,), queries=(3,), batches=(2,))
    for scale in (0.25, -0.5, 0.0)
)
"""Each option with a scale of each sign, which are one level of the table."""


def _of_rows(plan_for: Callable[[AnyPlan], ListedPlan], *, signed_scales: bool | None = None) -> Stream:
    """Return the stream of the plans for all rows and `SIGNS`: all, or with a scale of zero or below, or without."""

    def plans(features: frozenset[Feature]) -> Sequence[ListedPlan]:
        wanted = (one for one in _plans(features) if signed_scales in {None, _has_signed_scale(one)})
        return [plan_for(plan) for plan in wanted]

    return listed(plans)


@cache
def _plans(features: frozenset[Feature]) -> tuple[AnyPlan, ...]:
    """Return the plans of all rows for an implementation with `features`, and of `SIGNS`."""
    of_rows = (plan_of(row, turn) for turn, row in enumerate(rows_for(features)))
    return (*of_rows, *(plan for plan in SIGNS if plan.options.needs <= features))


def _has_signed_scale(plan: AnyPlan) -> bool:
    scale = (plan if isinstance(plan, Plan) else plan.of).options.scale
    return scale is not None and scale <= 0


def _as_it_is(plan: AnyPlan) -> AnyPlan:
    return plan


def _of_scores(plan: AnyPlan) -> AnyPlan | FewKeysPlan:
    """Return a plan whose numbers tell scores apart, which exact problems do not, unless a bound costs much."""
    if isinstance(plan, Plan) or _weights(plan.of) > MOST_WEIGHTS:
        return plan
    of = replace(plan.of, regimes=("normal",))
    return FewKeysPlan(of=of) if of.keys > MANY_KEYS else of


def _backward(plan: AnyPlan) -> BackwardPlan | FewKeysBackwardPlan | ScatterPlan:
    """Return a plan of a backward pass: an exact one where the three bounds would take more than milliseconds."""
    of = plan if isinstance(plan, Plan) else replace(plan.of, regimes=("normal",))
    if _weights(of) > MOST_WEIGHTS // 4 or _weights(of) * of.d_v > MOST_TERMS:
        return ScatterPlan(of=of)
    return FewKeysBackwardPlan(of=of) if of.keys > MANY_KEYS else BackwardPlan(forward=of)


def _weights(plan: Plan) -> int:
    return plan.batch * plan.heads * plan.options.group * plan.queries * plan.keys


ROWS = _of_rows(_as_it_is, signed_scales=False)
ROWS_OF_SIGNED_SCALES = _of_rows(_as_it_is, signed_scales=True)
ROWS_OF_SCORES = _of_rows(_of_scores)
BACKWARD_ROWS = _of_rows(_backward, signed_scales=False)
BACKWARD_ROWS_OF_SIGNED_SCALES = _of_rows(_backward, signed_scales=True)
