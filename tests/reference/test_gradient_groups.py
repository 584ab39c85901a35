"""Gradients of key heads that query heads share are inside the bound, stored for each query head before or not."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds import gradient_bound
from reference.bounds.formats import Array, round_to
from reference.bounds.interval import Interval
from reference.gradient import Gradients
from tests.reference.emulated import Emulated
from tests.reference.families import FAMILIES, Family, draw
from tests.reference.test_gradient_bound import Backward, GradientCase, assert_accepts, by_arithmetic, by_family

GROUPS = (2, 3)


def heads_of(family: Family, dtype: str, group: int) -> list[GradientCase]:
    """Return the cases of the query heads that share a key head."""
    rng = np.random.default_rng(2010)
    sizes = int(rng.integers(1, 4)), int(rng.integers(1, 21)), 4, 3
    _, key, value = draw(family, rng, sizes, dtype)
    heads = []
    for _ in range(group):
        query, _, _ = draw(family, rng, sizes, dtype)
        upstream = round_to(rng.standard_normal((sizes[0], sizes[3])) * 10.0 ** rng.integers(-2, 2), dtype)
        bias = round_to(rng.standard_normal(sizes[:2]), dtype)
        heads.append(GradientCase(query, key, value, upstream, 0.4, bias))
    return heads


def together(heads: list[GradientCase]) -> GradientCase:
    """Return one case of all rows, the rows of one head after those of another."""
    queries, upstreams, biases = ([getattr(head, name) for head in heads] for name in ("query", "upstream", "bias"))
    rows = [np.concatenate(arrays) for arrays in (queries, upstreams, biases)]
    return GradientCase(rows[0], heads[0].key, heads[0].value, rows[1], 0.4, rows[2])


def expected(heads: list[GradientCase], dtype: str, precision: Precision) -> tuple[Interval, Interval, Interval]:
    one, group = together(heads), len(heads)
    inputs = (one.query, one.key, one.value, one.upstream)
    return gradient_bound.gradient(*inputs, roundings_of(precision, dtype), scale=one.scale, bias=one.bias, group=group)


def stored_apart(heads: list[GradientCase], backward: Backward) -> Gradients:
    """Every head's gradients are answers of their own, which are then added up and stored again."""

    def total(parts: tuple[Array, ...]) -> Array:
        return backward.emulated.answer(backward.emulated.sum(np.stack(parts, axis=-1)))

    d_queries, d_keys, d_values = zip(*(backward.eager(head) for head in heads), strict=True)
    return np.concatenate(d_queries), total(d_keys), total(d_values)


@pytest.mark.parametrize("group", GROUPS)
@by_family
@by_arithmetic
def test_gradients_of_grouped_heads_in_a_declared_arithmetic_are_accepted(
    family: Family, dtype: str, precision: Precision, group: int
) -> None:
    heads = heads_of(family, dtype, group)
    oracles = expected(heads, dtype, precision)
    for emulated in (Emulated(dtype, precision, backwards=True), Emulated(dtype, precision, exp_signs=706)):
        backward = Backward(emulated, scale_first=False, apart=False)
        with np.errstate(all="ignore"):
            assert_accepts(oracles, stored_apart(heads, backward))
            assert_accepts(oracles, backward.eager(together(heads)))
            assert_accepts(oracles, backward.flash(together(heads)))


def test_the_gradient_of_the_query_is_bound_as_without_a_group() -> None:
    heads = heads_of(FAMILIES[0], "bfloat16", 3)
    with_group = expected(heads, "bfloat16", Precision.upcast())
    without = together(heads).expected("bfloat16", Precision.upcast())
    np.testing.assert_array_equal(with_group[0].error, without[0].error)
    for one, other in zip(with_group[1:], without[1:], strict=True):
        assert (one.error > other.error).all()


def test_heads_that_cancel_need_what_storing_each_of_them_costs() -> None:
    query, key, value, upstream = round_to(np.random.default_rng(1).standard_normal((4, 6, 4)), "bfloat16")
    bias, less = np.zeros((6, 6)), round_to(0.99 * upstream, "bfloat16")
    heads = [GradientCase(query, key, value, rows, 0.4, bias) for rows in (upstream, -less)]
    got = stored_apart(heads, Backward(Emulated("bfloat16", Precision.upcast()), scale_first=False, apart=False))
    assert not together(heads).expected("bfloat16", Precision.upcast())[2].accepts(got[2]).all()
    assert_accepts(expected(heads, "bfloat16", Precision.upcast()), got)


@pytest.mark.parametrize(("n_queries", "vacuous"), [(2, False), (8, True)])
def test_a_gradient_of_one_head_that_may_overflow_makes_the_sum_vacuous(n_queries: int, *, vacuous: bool) -> None:
    query, key, upstream = np.ones((n_queries, 4)), np.ones((2, 4)), np.full((n_queries, 4), 4e4)
    bias = np.zeros((n_queries, 2))
    heads = [GradientCase(query, key, key, rows, 0.4, bias) for rows in (upstream, -upstream)]
    d_query, _, d_value = expected(heads, "float16", Precision.upcast())
    assert not d_query.vacuous.any()
    assert d_value.vacuous.all() == d_value.vacuous.any() == vacuous
