"""The words for a row that came in the place of another, and the columns that are kept so that they can be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Feature, FullyMasked
from attention_tests.execution.failures import Disagreement
from properties.checks.exact import assert_gathered, assert_scattered
from properties.drawing.exact import ExactPlan, Gather, GatherPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.scatter import ScatterPlan

EVERYTHING = frozenset(Feature)


def shape(d_v: int, **sizes: int) -> Plan:
    return Plan(**{"batch": 3, "heads": 2, "queries": 2, "keys": 300, "d_k": 4, "seed": 1} | sizes, d_v=d_v)  # type: ignore[arg-type]


def sentence_where(problem: Gather, got: Any) -> str:
    with pytest.raises(Disagreement) as raised:
        assert_gathered(got, problem)
    return raised.value.sentence


def with_row_of(problem: Gather, place: tuple[int, int, int], key: tuple[int, int, int]) -> Any:
    got = problem.rows.copy()
    got[place] = problem.value[key]
    return got


def test_three_columns_tell_which_value_it_is() -> None:
    problem = GatherPlan(of=shape(3)).build("float32", EVERYTHING)
    asked = int(problem.asked[1, 1, 0])
    said = sentence_where(problem, with_row_of(problem, (1, 1, 0), (2, 0, 7)))
    assert "got the value of key 7 of batch 2, key head 0 in place of" in said
    assert f"in place of the value of key {asked} of batch 1, key head 1" in said


def test_of_equal_values_the_one_of_the_same_key_head_is_named_and_then_one_of_the_batch() -> None:
    problem = GatherPlan(of=shape(1)).build("float32", EVERYTHING)
    other = next(key for key in range(300) if problem.value[1, 1, key] != problem.rows[1, 1, 0])
    said = sentence_where(problem, with_row_of(problem, (1, 1, 0), (1, 1, other)))
    assert f"got the value of key {other} of batch 1, key head 1, or another of the same value," in said
    few = GatherPlan(of=shape(1, keys=100)).build("float32", EVERYTHING)
    beside = int(np.flatnonzero(~np.isin(few.value[1, 0], few.value[1, 1]))[0])
    assert (few.value[0] == few.value[1, 0, beside]).any()
    said = sentence_where(few, with_row_of(few, (1, 1, 0), (1, 0, beside)))
    assert f"got the value of key {beside} of batch 1, key head 0, or another of the same value," in said


def test_of_equal_gradients_the_one_of_the_same_key_head_is_named() -> None:
    problem = ScatterPlan(of=shape(1, keys=5, queries=9)).build("float32", EVERYTHING)
    got = problem.d_value.copy()
    changed = np.argwhere((got[2, 1] != got[2, 1].max()).all(axis=-1))[0]
    got[2, 1, changed] = got[2, 1].max()
    with pytest.raises(Disagreement) as raised:
        assert_scattered(got, problem)
    assert "it is that of the value of key" in raised.value.sentence
    assert "of batch 2, key head 1:" in raised.value.sentence


def smallest(plan: ExactPlan) -> ExactPlan:
    while (simpler := next(iter(plan.simpler()), None)) is not None:
        plan = simpler
    return plan


@pytest.mark.parametrize(
    ("plan", "left"),
    [
        (GatherPlan(of=shape(64, d_k=64)), (3, 3)),
        (ScatterPlan(of=shape(5)), (3, 3)),
        (GatherPlan(of=shape(2, d_k=1)), (1, 2)),
    ],
    ids=["wide", "backward", "as it was"],
)
def test_as_many_columns_are_left_as_tell_values_apart(plan: ExactPlan, left: tuple[int, int]) -> None:
    of = smallest(plan).of
    assert (of.d_k, of.d_v) == left
    assert (of.batch, of.heads, of.queries, of.keys, of.options) == (1, 1, 1, 1, Options())


@pytest.mark.parametrize("fully_masked", FullyMasked)
def test_a_gradient_of_nan_is_right_where_a_fully_masked_row_is_nan(fully_masked: FullyMasked) -> None:
    plan = shape(3, keys=5, queries=9)
    options = Options(mask="fully masked rows", mask_axes="11qk", group=2)
    problem = ScatterPlan(of=replace(plan, options=options)).build(
        "float32", EVERYTHING, Dialect(fully_masked=fully_masked)
    )
    assert not problem.seen.any(axis=-1).all()
    assert_scattered(problem.d_value, problem)
    nan = np.full_like(problem.d_value, np.nan)
    if fully_masked is FullyMasked.NAN:
        assert_scattered(nan, problem)
    else:
        with pytest.raises(Disagreement):
            assert_scattered(nan, problem)


def test_other_key_heads_are_owed_their_gradient() -> None:
    options = Options(mask="all", mask_axes="bhqk", group=2)
    problem = ScatterPlan(of=replace(shape(3, keys=5, queries=9), options=options)).build(
        "float32", EVERYTHING, Dialect(fully_masked=FullyMasked.NAN)
    )
    assert problem.mask is not None
    mask = problem.mask.copy()
    mask[1, 2, 0] = False
    assert np.argwhere(~replace(problem, mask=mask).owed[..., 0]).tolist() == [[1, 1]]
