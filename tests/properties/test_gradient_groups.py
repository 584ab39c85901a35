"""Expected gradients of grouped heads: those of each query head, added up over the group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Feature, FullyMasked, Precision
from properties.checks.gradients import expected_gradients
from properties.drawing.gradient_options import plan
from properties.drawing.gradients import Backward

ALL = frozenset(Feature)


def apart(problem: Backward) -> Backward:
    """Return the problem with a key head of its own for each query head."""
    key, value = (problem.for_each_query_head(array) for array in (problem.key, problem.value))
    return replace(problem, key=key, value=value)


@pytest.mark.parametrize("group", [2, 3])
@pytest.mark.parametrize(
    "options",
    [{}, {"bias": "normal"}, {"softcap": 0.5}, {"causal": True, "scale": -0.3}, {"mask": "fully masked rows"}],
    ids=str,
)
def test_gradients_of_a_key_head_are_the_sum_over_its_group(group: int, options: dict[str, Any]) -> None:
    problem = plan((5, 7, 4, 3), 1, group=group, **options).build("float64", ALL)
    grouped = expected_gradients(problem, Precision.float64())
    d_query, d_key, d_value = expected_gradients(apart(problem), Precision.float64())
    np.testing.assert_allclose(grouped.query.value, d_query.value, rtol=1e-12, atol=1e-15)
    for one, each in ((grouped.key, d_key), (grouped.value, d_value)):
        batch, key_heads, *rest = one.value.shape
        total = each.value.reshape(batch, key_heads, group, *rest).sum(axis=2)
        np.testing.assert_allclose(one.value, total, rtol=1e-12, atol=1e-14)


def test_where_fully_masked_rows_are_no_zeros_nothing_is_promised_of_their_key_head() -> None:
    dialect = Dialect(fully_masked=FullyMasked.NAN)
    problem = plan((5, 7, 4, 3), 1, group=2, mask="all").build("float64", ALL, dialect)
    assert problem.mask is not None
    mask = problem.mask.copy()
    mask[1, 2, 0] = False
    of_query, of_key, of_value = expected_gradients(replace(problem, mask=mask), Precision.float64())
    assert np.argwhere(of_query.vacuous.all(axis=(-1, -2))).tolist() == [[1, 2]]
    for one in (of_key, of_value):
        assert np.argwhere(one.vacuous.all(axis=(-1, -2))).tolist() == [[1, 1]]
