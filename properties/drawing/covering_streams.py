"""Streams of the covering table: a call for each row, the log-sum-exp of a row, and the way back of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.circumstances import AnyPlan, plan_of
from properties.drawing.covering import rows_for
from properties.drawing.exact_lists import MOST_TERMS, MOST_WEIGHTS, listed
from properties.drawing.gradients import BackwardPlan
from properties.drawing.plans import Plan
from properties.drawing.scatter import ScatterPlan

PlanOfRow: TypeAlias = Callable[[Mapping[str, str], int], ListedPlan]
"""Makes the plan of a row of levels and its number."""


def _of_rows(plan_of_row: PlanOfRow, *, of_signed_scales: bool = False) -> Stream:
    """Return the stream of the plans of all rows, those with a scale of zero or below apart from the others."""

    def plans(features: frozenset[Feature]) -> tuple[ListedPlan, ...]:
        rows = enumerate(rows_for(features))
        return tuple(plan_of_row(row, turn) for turn, row in rows if _has_signed_scale(row, turn) == of_signed_scales)

    return listed(*plans(frozenset(Feature)), given=plans)


def _has_signed_scale(row: Mapping[str, str], turn: int) -> bool:
    plan = plan_of(row, turn)
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
    return ScatterPlan(of=of) if _weights(of) * of.d_v > 2 * MOST_TERMS else BackwardPlan(forward=of)


def _weights(plan: Plan) -> int:
    return plan.batch * plan.heads * plan.options.group * plan.queries * plan.keys


ROWS = _of_rows(plan_of)
ROWS_OF_SIGNED_SCALES = _of_rows(plan_of, of_signed_scales=True)
ROWS_OF_SCORES = _of_rows(_of_scores)
BACKWARD_ROWS = _of_rows(_backward)
BACKWARD_ROWS_OF_SIGNED_SCALES = _of_rows(_backward, of_signed_scales=True)
