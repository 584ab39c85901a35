"""Streams of the covering table: a call for each row, the log-sum-exp of a row, and the way back of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.circumstances import AnyPlan, cost, plan_of
from properties.drawing.covering import rows_for
from properties.drawing.exact_lists import MOST_TERMS, MOST_WEIGHTS, listed
from properties.drawing.gradients import BackwardPlan
from properties.drawing.plans import Plan
from properties.drawing.scatter import ScatterPlan


def _of_each_row(plan_of_row: Callable[[Mapping[str, str], int], ListedPlan]) -> Stream:
    """Return the stream of the plans of all rows, made of the levels and the number of each."""

    def plans(features: frozenset[Feature]) -> tuple[ListedPlan, ...]:
        return tuple(plan_of_row(row, turn) for turn, row in enumerate(rows_for(features)))

    return listed(*plans(frozenset(Feature)), given=plans)


def _of_scores(row: Mapping[str, str], turn: int) -> AnyPlan:
    """Return a plan whose numbers tell scores apart, which exact problems do not, unless a bound costs much."""
    plan = plan_of(row, turn)
    if isinstance(plan, Plan) or cost(row).scores > MOST_WEIGHTS:
        return plan
    return replace(plan.of, regimes=("normal",))


def _backward(row: Mapping[str, str], turn: int) -> BackwardPlan | ScatterPlan:
    """Return a plan of a backward pass: an exact one where the three bounds would take more than milliseconds."""
    plan = plan_of(row, turn)
    of = plan if isinstance(plan, Plan) else replace(plan.of, regimes=("normal",))
    return ScatterPlan(of=of) if cost({**row, "numbers": "ordinary"}).terms > MOST_TERMS else BackwardPlan(forward=of)


ROWS = _of_each_row(plan_of)
ROWS_OF_SCORES = _of_each_row(_of_scores)
BACKWARD_ROWS = _of_each_row(_backward)
