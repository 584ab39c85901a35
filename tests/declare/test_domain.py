"""A domain holds what it is fitted to, and features within one stay in it."""

from __future__ import annotations

from itertools import product

import pytest

from attention_tests import Feature
from attention_tests.declare.dialect import Layout
from attention_tests.declare.domain import EVERYWHERE, Abilities, Domain, Sizes, domain_of

DOMAINS = [
    EVERYWHERE,
    Domain(widths=frozenset({64, 128}), value_widths=frozenset({32, 64})),
    Domain(key_multiple=16, query_multiple=8),
    Domain(more_queries=False, query_multiple=4, key_multiple=6),
    Domain(batches=frozenset({1}), heads=frozenset({2, 8}), groups=frozenset({1, 8})),
    Domain(longest=40, key_multiple=16),
]
SIZES = [
    Sizes(batch, heads, group, queries, keys, d_k, d_v)
    for (batch, heads, group), (queries, keys), (d_k, d_v) in product(
        [(1, 1, 1), (3, 5, 2), (2, 2, 8), (0, 1, 1)],
        [(1, 1), (17, 3), (0, 5), (5, 0), (33, 64), (100, 7)],
        [(1, 1), (64, 64), (64, 5), (200, 100)],
    )
]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("features", [frozenset(Feature), frozenset(Feature) - {Feature.LENGTHS, Feature.VALUE_WIDTH}])
def test_what_is_fitted_is_held(domain: Domain, features: frozenset[Feature]) -> None:
    for sizes in SIZES:
        fitted = sizes.fitted(Abilities(features, domain))
        assert domain.holds(fitted), (sizes, fitted)
        assert Feature.LENGTHS in features or fitted.queries == fitted.keys
        assert Feature.VALUE_WIDTH in features or fitted.d_k == fitted.d_v
        assert not domain.holds(sizes) or Feature.LENGTHS not in features or fitted == sizes


def test_what_is_not_in_a_domain_is_not_held() -> None:
    sizes = Sizes(2, 2, 2, 8, 16, 64, 64)
    for domain in (
        Domain(batches=frozenset({1})),
        Domain(heads=frozenset({1})),
        Domain(groups=frozenset({1, 8})),
        Domain(query_multiple=16),
        Domain(key_multiple=32),
        Domain(widths=frozenset({128})),
        Domain(longest=15),
    ):
        assert not domain.holds(sizes)
    assert not Domain(more_queries=False).holds(sizes._replace(queries=17))
    assert not Domain(value_widths=frozenset({32})).holds(sizes._replace(d_v=16))


def test_features_stay_in_their_domain() -> None:
    domain = Domain(key_multiple=16)
    abilities = Abilities(frozenset({Feature.HEADS, Feature.MASK}), domain)
    assert domain_of(abilities & {Feature.MASK, Feature.BIAS}) == domain
    assert abilities & {Feature.MASK} == Abilities({Feature.MASK}, domain)
    assert abilities != frozenset(abilities)
    assert hash(abilities) == hash(Abilities(frozenset(abilities), domain))
    assert domain_of(frozenset(abilities)) == EVERYWHERE


@pytest.mark.parametrize("layout", [Layout.BATCH_HEAD_LENGTH_WIDTH, Layout.BATCH_LENGTH_HEAD_WIDTH])
def test_sizes_are_read_in_the_layout(layout: Layout) -> None:
    shapes = [(2, 6, 5, 4), (2, 3, 7, 4), (2, 3, 7, 9)]
    assert Sizes.of(layout, *map(layout.laid_out, shapes)) == Sizes(2, 3, 2, 5, 7, 4, 9)
    assert Sizes.of(Layout.LENGTH_WIDTH, (5, 4), (7, 4), (7, 9)) == Sizes(1, 1, 1, 5, 7, 4, 9)
    assert Sizes.of(Layout.LENGTH_HEAD_WIDTH, (5, 6, 4), (7, 3, 4), (7, 3, 9)) == Sizes(1, 3, 2, 5, 7, 4, 9)
