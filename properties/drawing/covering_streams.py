"""Streams of the covering table: a call for each row, the log-sum-exp of a row, and the way back of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.circumstances import AnyPlan, plan_of
from properties.drawing.covering import rows_for
from properties.drawing.exact_lists import MOST_TERMS, MOST_WEIGHTS, listed, shapes
from properties.drawing.gradients import BackwardPlan
from properties.drawing.plans import Options, Plan
from properties.drawing.scatter import ScatterPlan

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


PlanOfRow: TypeAlias = Callable[[Mapping[str, str], int], ListedPlan]
"""Makes the plan of a row of levels and its number."""


def _of_rows(
    plan_of_row: PlanOfRow,
    of_more: Callable[[Plan], ListedPlan] = lambda plan: plan,
    *,
    signed_scales: bool | None = None,
) -> Stream:
    """Return the stream of the plans of all rows and of `SIGNS`: all, or with a scale of zero or below, or without."""

    def wanted(plan: AnyPlan) -> bool:
        return signed_scales is None or _has_signed_scale(plan) == signed_scales

    def plans(features: frozenset[Feature]) -> tuple[ListedPlan, ...]:
        of_rows = [plan_of_row(row, turn) for turn, row in enumerate(rows_for(features)) if wanted(plan_of(row, turn))]
        supported = [plan for plan in SIGNS if plan.options.needs <= features]
        return (*of_rows, *(of_more(plan) for plan in supported if wanted(plan)))

    return listed(*plans(frozenset(Feature)), given=plans)


def _has_signed_scale(plan: AnyPlan) -> bool:
    scale = (plan if isinstance(plan, Plan) else plan.of).options.scale
    return scale is not None and scale <= 0


def _of_scores(row: Mapping[str, str], turn: int) -> AnyPlan:
    """Return a plan whose numbers tell scores apart, which exact problems do not, unless a bound costs much."""
    plan = plan_of(row, turn)
    if isinstance(plan, Plan) or _weights(plan.of) > MOST_WEIGHTS:
        return plan
    return replace(plan.of, regimes=("normal",))


def _backward(row: Mapping[str, str], turn: int) -> BackwardPlan | ScatterPlan:
    """Return a plan of a backward pass: an exact one where the three bounds would take more than milliseconds."""
    plan = plan_of(row, turn)
    of = plan if isinstance(plan, Plan) else replace(plan.of, regimes=("normal",))
    costly = _weights(of) > MOST_WEIGHTS // 4 or _weights(of) * of.d_v > MOST_TERMS
    return ScatterPlan(of=of) if costly else BackwardPlan(forward=of)


def _weights(plan: Plan) -> int:
    return plan.batch * plan.heads * plan.options.group * plan.queries * plan.keys


def _of_backward(plan: Plan) -> BackwardPlan:
    return BackwardPlan(forward=plan)


ROWS = _of_rows(plan_of, signed_scales=False)
ROWS_OF_SIGNED_SCALES = _of_rows(plan_of, signed_scales=True)
ROWS_OF_SCORES = _of_rows(_of_scores)
BACKWARD_ROWS = _of_rows(_backward, _of_backward, signed_scales=False)
BACKWARD_ROWS_OF_SIGNED_SCALES = _of_rows(_backward, _of_backward, signed_scales=True)
