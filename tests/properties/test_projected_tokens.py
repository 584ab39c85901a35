"""Expectations of layers that project their tokens: an element that may overflow spoils all of its token."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attention_tests import Dialect, Feature, Precision
from properties.checks.comparison import expected as expected_output
from properties.checks.gradients import ExpectedGradients, expected_gradients
from properties.drawing.gradient_options import plan

ALONE = frozenset({Feature.HEADS})
LENGTHS = ALONE | {Feature.LENGTHS, Feature.VALUE_WIDTH}


def expected(features: frozenset[Feature], *, projected: bool) -> ExpectedGradients:
    """Return the expected gradients where products of the second token of one head may overflow in float16."""
    problem = plan((3, 3, 4, 4), 1).build("float16", features, Dialect(projected=projected))
    upstream = problem.upstream.copy()
    upstream[0, 1, 1] = 30_000
    return expected_gradients(problem.with_arrays(upstream=upstream), Precision.pure("float16"))


def unknown_tokens(one: ExpectedGradients) -> list[list[int]]:
    """Return the tokens of the first batch of which nothing is promised, of query, key and value."""
    return [np.flatnonzero(interval.vacuous[0].all(axis=(0, -1))).tolist() for interval in one]


@pytest.mark.parametrize("features", [ALONE, LENGTHS])
def test_without_projections_other_heads_are_promised(features: frozenset[Feature]) -> None:
    assert unknown_tokens(expected(features, projected=False)) == [[], [], []]


def test_a_projected_query_is_unknown_in_all_heads() -> None:
    of_query, of_key, _ = unknown_tokens(expected(LENGTHS, projected=True))
    assert of_query == [1]
    assert of_key == [0, 1, 2]


def test_the_value_of_a_token_is_as_unknown_as_its_query() -> None:
    assert unknown_tokens(expected(ALONE, projected=True)) == [[0, 1, 2]] * 3


def test_what_cannot_overflow_is_promised() -> None:
    problem = plan((3, 3, 4, 4), 1).build("float16", ALONE, Dialect(projected=True))
    projected = expected_gradients(problem, Precision.pure("float16"))
    plain = expected_gradients(replace(problem, dialect=Dialect()), Precision.pure("float16"))
    for one, other in zip(projected, plain, strict=True):
        np.testing.assert_array_equal(one.error, other.error)


@pytest.mark.parametrize("projected", [True, False])
def test_an_output_that_may_overflow_in_one_head_is_unknown_in_all(*, projected: bool) -> None:
    problem = plan((3, 3, 4, 4), 1).build("float16", LENGTHS, Dialect(projected=projected))
    query = problem.query.copy()
    query[0, 1, 2] = 60_000
    spoilt = expected_output(problem.with_arrays(query=query), Precision.pure("float16"))
    assert np.argwhere(spoilt.vacuous.all(axis=-1)).tolist() == ([[0, 0, 2], [0, 1, 2]] if projected else [[0, 1, 2]])
