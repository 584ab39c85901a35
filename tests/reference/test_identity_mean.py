"""The bound on weights is that on the output for the identity matrix, without n_k × n_k values for each query."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds import error_bound
from tests.reference.families import Family
from tests.reference.test_error_bound import by_arithmetic, by_family, cases


@by_family
@by_arithmetic
def test_weights_are_the_output_for_the_identity(family: Family, dtype: str, precision: Precision) -> None:
    roundings = roundings_of(precision, dtype)
    for (query, key, _), scale, bias in cases(family, dtype, 6):
        of_weights = error_bound.weights(query, key, roundings, scale=scale, bias=bias)
        of_output = error_bound.attention(query, key, np.eye(len(key)), roundings, scale=scale, bias=bias)
        np.testing.assert_array_equal(of_weights.vacuous, of_output.vacuous)
        np.testing.assert_allclose(of_weights.value, of_output.value, rtol=1e-13)
        # The supremum has room of 1e-11 for being solved in float64, and says nothing of a weight where it is above 1.
        error, other = (np.minimum(one.error, 2.0) for one in (of_weights, of_output))
        np.testing.assert_allclose(error, other, rtol=1e-5, atol=4e-11)


@pytest.mark.parametrize("softcap", [0.5, 30.0])
def test_a_soft_cap_counts(softcap: float) -> None:
    query, key = np.random.default_rng(4).standard_normal((2, 2, 5, 3)) * 9
    roundings = roundings_of(Precision.float32(), "float32")
    of_weights = error_bound.weights(query, key, roundings, softcap=softcap)
    of_output = error_bound.attention(query, key, np.eye(5), roundings, softcap=softcap)
    np.testing.assert_allclose(of_weights.error, of_output.error, rtol=1e-9)


def test_the_only_key_that_is_seen_has_all_the_weight() -> None:
    bias = np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
    roundings = roundings_of(Precision.strict("float32"), "float32")
    expected = error_bound.weights(np.ones((2, 1)), np.ones((2, 1)), roundings, bias=bias)
    np.testing.assert_array_equal(expected.value, [[1, 0], [np.nan, np.nan]])
    assert not expected.accepts([[1 + 2.0**-18, 0], [np.nan, np.nan]])[0, 0]
    assert not expected.accepts([[1, 1e-30], [np.nan, np.nan]])[0, 1]


def test_no_keys_have_no_weights() -> None:
    roundings = roundings_of(Precision.float32(), "float32")
    assert error_bound.weights(np.ones((2, 3)), np.ones((0, 3)), roundings).value.shape == (2, 0)
