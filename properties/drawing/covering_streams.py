"""Streams of the covering table: a call for each row, the log-sum-exp of a row, and the way back of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.circumstances import AnyPlan, cost, plan_of
from properties.drawing.covering import rows_for
from properties.drawing.exact import GatherPlan
from properties.drawing.exact_lists import MOST_WEIGHTS, listed, shapes
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


def _of_each_row(
    plan_of_row: Callable[[Mapping[str, str], int], ListedPlan],
    more: Sequence[Plan],
    of_more: Callable[[Plan], ListedPlan] = lambda plan: plan,
) -> Stream:
    """Return the stream of the plans of all rows, made of the levels and the number of each, and of more."""

    def plans(features: frozenset[Feature]) -> tuple[ListedPlan, ...]:
        rows = tuple(plan_of_row(row, turn) for turn, row in enumerate(rows_for(features)))
        return rows + tuple(of_more(plan) for plan in more if plan.options.needs <= features)

    return listed(*plans(frozenset(Feature)), given=plans)


def _of_scores(row: Mapping[str, str], turn: int) -> AnyPlan:
    """Return a plan whose numbers tell scores apart, which exact problems do not, unless a bound costs much."""
    plan = plan_of(row, turn)
    if isinstance(plan, Plan) or cost(row).scores > MOST_WEIGHTS:
        return plan
    return replace(plan.of, regimes=("normal",))


def _backward(row: Mapping[str, str], turn: int) -> BackwardPlan | ScatterPlan:
    """Return a plan of a backward pass: an exact one only where a bound would take more than milliseconds."""
    plan = plan_of(row, turn)
    if isinstance(plan, Plan):
        return BackwardPlan(forward=plan)
    if isinstance(plan, GatherPlan) and not cost({**row, "numbers": "ordinary"}).fits:
        return ScatterPlan(of=plan.of)
    return BackwardPlan(forward=replace(plan.of, regimes=("normal",)))


ROWS = _of_each_row(plan_of, SIGNS)
ROWS_OF_SCORES = _of_each_row(_of_scores, SIGNS)
BACKWARD_ROWS = _of_each_row(_backward, SIGNS, lambda plan: BackwardPlan(forward=plan))
