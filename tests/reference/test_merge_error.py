"""Weights less a log-sum-exp, and parts merged by theirs, are inside the bound, and were not before it counted them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.arb import definition
from reference.bounds import error_bound, step_bounds
from reference.bounds.formats import round_to
from tests.reference.emulated import Emulated
from tests.reference.families import Family, Inputs
from tests.reference.test_error_bound import assert_accepts, by_arithmetic, by_family, cases
from tests.reference.test_gradient_bound import Backward, gradient_cases
from tests.reference.test_gradient_bound import assert_accepts as assert_accepts_gradients

by_merges = pytest.mark.parametrize(("block", "merges"), [(1, 1), (4, 1), (1, 20), (4, 5)])
FLOAT32 = replace(Precision.float32(), block=4)


@by_family
@by_arithmetic
@by_merges
def test_merged_parts_are_accepted(family: Family, dtype: str, precision: Precision, block: int, merges: int) -> None:
    precision = replace(precision, block=block, merges=merges)
    roundings = roundings_of(precision, dtype)
    for seed, (inputs, scale, bias) in enumerate(cases(family, dtype, 4)):
        expected = error_bound.attention(*inputs, roundings, scale=scale, bias=bias)
        logarithm = error_bound.log_sum_exp(*inputs[:2], roundings, scale=scale, bias=bias)
        for emulated in (Emulated(dtype, precision), Emulated(dtype, precision, backwards=True, exp_signs=706)):
            with np.errstate(all="ignore"):
                output, log_sum_exp = emulated.merged(inputs, scale, bias, seed=seed)
            assert_accepts(expected, output)
            assert_accepts(logarithm, log_sum_exp)


@by_family
@by_arithmetic
def test_gradients_from_what_was_merged_are_accepted(family: Family, dtype: str, precision: Precision) -> None:
    precision = replace(precision, block=4, merges=5)
    backward = Backward(Emulated(dtype, precision), scale_first=True, apart=False, merged=True)
    for case in gradient_cases(family, dtype, 3):
        with np.errstate(all="ignore"):
            assert_accepts_gradients(case.expected(dtype, precision), backward.flash(case))


@pytest.mark.parametrize("merges", [0, 1])
def test_a_bound_that_says_nothing_is_infinite_and_no_nan(merges: int) -> None:
    rng = np.random.default_rng(1)
    query, key, value = (round_to(rng.standard_normal((n, 2)), "float16") for n in (1, 1500, 1500))
    roundings = roundings_of(replace(Precision.pure("float16"), merges=merges), "float16")
    for bias in (None, np.full((1, 1500), -np.inf)):
        interval = error_bound.attention(query, key, value, roundings, bias=bias)
        assert not np.isnan(interval.tolerance).any() or np.isnan(interval.value).all()
        assert bias is not None or np.isinf(interval.tolerance).all()


def far_from_zero(seed: int, n_keys: int) -> Inputs:
    """Scores of 2,500 and more, and values about 50."""
    rng = np.random.default_rng(seed)
    query, key, value = rng.random((3, 1)), rng.standard_normal((n_keys, 1)), rng.standard_normal((n_keys, 2))
    return round_to(1 + query, "float32"), round_to(2500 + key / 10, "float32"), round_to(50 + value, "float32")


@pytest.mark.parametrize("seed", range(6))
def test_rounded_log_sum_exps_show_where_scores_are_large_and_values_far_from_zero(seed: int) -> None:
    inputs = far_from_zero(seed, n_keys=20)
    output, _ = Emulated("float32", FLOAT32).merged(inputs, seed=seed)
    apart = error_bound.attention(*inputs, roundings_of(replace(FLOAT32, merges=0), "float32"))
    expected = error_bound.attention(*inputs, roundings_of(FLOAT32, "float32"))
    assert not apart.accepts(output).all()
    assert_accepts(expected, output)
    assert (definition.attention(*inputs).distance(output) <= expected.tolerance).all()


def test_a_chain_of_merges_errs_by_more_than_one_merge() -> None:
    one, every = (roundings_of(replace(FLOAT32, merges=merges), "float32") for merges in (1, 49))
    refused = 0
    for seed in range(10):
        query, key, value = far_from_zero(seed, n_keys=200)
        emulated = Emulated("float32", FLOAT32)
        logits = emulated.logits(query, key, None, None)
        first, *others = (emulated.part(logits[:, i : i + 4], value[i : i + 4]) for i in range(0, 200, 4))
        for part in others:
            first = emulated.merge([first, part])
        refused += not error_bound.attention(query, key, value, one).accepts(first[0]).all()
        assert_accepts(error_bound.attention(query, key, value, every), first[0])
    assert refused


def test_a_chain_of_rounded_log_sum_exps_stops_growing() -> None:
    query, key, n_keys = np.ones((1, 1)), np.full((200, 1), 2.0**20), 200
    emulated = Emulated("float32", FLOAT32)
    first, *others = (emulated.part(key[i : i + 1].T, key[i : i + 1]) for i in range(n_keys))
    for part in others:
        first = emulated.merge([first, part])
    one, every = (roundings_of(replace(FLOAT32, block=1, merges=merges), "float32") for merges in (1, n_keys - 1))
    assert not error_bound.log_sum_exp(query, key, one).accepts(first[1][0]).any()
    assert_accepts(error_bound.log_sum_exp(query, key, every), first[1][0])


def test_wrong_exps_of_a_merge_show_where_all_values_are_one() -> None:
    precision = replace(FLOAT32, exp_error=2.0**-13)
    refused = 0
    for seed in range(10):
        query, key, _ = far_from_zero(seed, n_keys=20)
        inputs = query, round_to(key - 2500, "float32"), np.ones((20, 1))
        output, _ = Emulated("float32", precision, exp_signs=seed).merged(inputs, seed=seed)
        apart = error_bound.attention(*inputs, roundings_of(replace(precision, merges=0), "float32"))
        refused += not apart.accepts(output).all()
        assert_accepts(error_bound.attention(*inputs, roundings_of(precision, "float32")), output)
    assert refused


def test_a_merge_that_is_wrong_is_refused() -> None:
    query, key, value = np.random.default_rng(8).standard_normal((3, 12, 4)).astype(np.float32).astype(np.float64)
    emulated = Emulated("float32", FLOAT32)
    logits = emulated.logits(query, key, None, None)
    several = [slice(start, start + 4) for start in (0, 4, 8)]
    parts = [emulated.part(logits[:, keys], value[keys]) for keys in several]
    without_largest = [
        (output, logarithm - logits[:, keys].max(-1, keepdims=True))
        for keys, (output, logarithm) in zip(several, parts, strict=True)
    ]
    in_base_two = [(output, logarithm * np.log2(np.e)) for output, logarithm in parts]
    expected = error_bound.attention(query, key, value, roundings_of(FLOAT32, "float32"))

    assert_accepts(expected, round_to(emulated.merge(parts)[0], "float32"))
    for wrong in (without_largest, in_base_two):
        assert not expected.accepts(round_to(emulated.merge(wrong)[0], "float32")).any()


@by_family
@by_arithmetic
def test_weights_less_a_log_sum_exp_are_accepted(family: Family, dtype: str, precision: Precision) -> None:
    precision = replace(precision, normalised=True)
    roundings = roundings_of(precision, dtype)
    for inputs, scale, bias in cases(family, dtype, 8):
        expected = error_bound.attention(*inputs, roundings, scale=scale, bias=bias)
        for emulated in (Emulated(dtype, precision), Emulated(dtype, precision, backwards=True, exp_signs=706)):
            with np.errstate(all="ignore"):
                assert_accepts(expected, emulated.less_log_sum_exp(*inputs, scale, bias))


@pytest.mark.parametrize(("n_keys", "size"), [(2, 6.0), (2, 2500.0), (9, 2500.0), (16, 40.0)])
def test_a_log_sum_exp_shows_in_few_keys(n_keys: int, size: float) -> None:
    apart, expected = (roundings_of(replace(FLOAT32, merges=merges), "float32") for merges in (0, 1))
    refused = 0
    for seed in range(20):
        query, key, value = far_from_zero(seed, n_keys)
        inputs = query, round_to(key - 2500 + size, "float32"), value
        output = Emulated("float32", FLOAT32).less_log_sum_exp(*inputs)
        refused += not error_bound.attention(*inputs, apart).accepts(output).all()
        assert_accepts(error_bound.attention(*inputs, expected), output)
    assert refused


def test_the_softmax_of_the_document_is_divided_by_its_sum() -> None:
    scores, roundings = np.full((1, 2), 2.0**20), roundings_of(FLOAT32, "float32")
    wrong = round_to(Emulated("float32", FLOAT32).softmax_less_log_sum_exp(scores), "float32")
    assert not step_bounds.softmax(scores, roundings).accepts(wrong).any()


def test_the_log_sum_exp_of_one_block_is_never_less_one() -> None:
    query, key, _ = far_from_zero(3, n_keys=4)
    apart, expected = (
        error_bound.log_sum_exp(query, key, roundings_of(replace(FLOAT32, merges=merges), "float32"))
        for merges in (0, 1)
    )
    np.testing.assert_array_equal(apart.error, expected.error)
