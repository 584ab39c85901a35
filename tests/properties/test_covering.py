"""The covering table: it has the strength that it claims, for every set of features, in rows that cost little."""

from __future__ import annotations

from itertools import combinations

import pytest

from attention_tests import Feature
from properties.drawing.circumstances import FACTORS, TRIPLES, cost, fitted, is_possible, sizes_of
from properties.drawing.covering import LEAST, combinations_of, possible_combinations, rows_for, table

ALL = frozenset(Feature)
SETS = {
    "all": ALL,
    "none": frozenset[Feature](),
    "heads and lengths": frozenset({Feature.HEADS, Feature.LENGTHS}),
    **{f"all but {feature}": ALL - {feature} for feature in Feature},
}


@pytest.mark.parametrize("features", SETS.values(), ids=SETS)
def test_the_rows_have_every_possible_pair_and_triple(features: frozenset[Feature]) -> None:
    met = set().union(*(combinations_of(row) for row in rows_for(features)))
    assert not set(possible_combinations(features)) - met


def test_most_pairs_and_triples_are_possible() -> None:
    all_of_them = sum(len({*FACTORS[one]}) * len({*FACTORS[other]}) for one, other in combinations(FACTORS, 2)) + sum(
        len(FACTORS[one]) * len(FACTORS[two]) * len(FACTORS[three]) for one, two, three in TRIPLES
    )
    assert 0.95 * all_of_them < len(set(possible_combinations(ALL))) < all_of_them


def test_the_table_alone_is_enough_for_all_features() -> None:
    assert list(rows_for(ALL)) == list(table())


def test_there_are_few_rows() -> None:
    assert len(table()) < 340
    assert all(len(rows_for(features)) < 450 for features in SETS.values())


def test_every_level_is_used() -> None:
    for name, levels in FACTORS.items():
        assert {row[name] for row in table()} == {*levels}


@pytest.mark.parametrize("features", SETS.values(), ids=SETS)
def test_every_row_fits_its_cost_at_every_turn(features: frozenset[Feature]) -> None:
    for turn, row in enumerate(rows_for(features)):
        assert is_possible(row)
        assert fitted(row, features) == row
        sizes = sizes_of(row, turn)
        assert sizes.batch * sizes.heads * sizes.keys * (sizes.d_k + sizes.d_v) <= 2**19
        assert sizes.batch * sizes.heads * sizes.group * sizes.queries * sizes.keys <= 64 * 1025


def test_a_row_that_would_cost_much_is_not_possible() -> None:
    large = {"batch": "several", "heads": "groups", "keys": "more than 12,288", "d_k": "576"}
    assert not is_possible(LEAST | large)
    assert cost(LEAST | large).share > 1


@pytest.mark.parametrize(
    ("name", "place", "others"),
    [
        ("query", "HEAD_GAPS", {"heads": "one"}),
        ("query", "ROW_GAPS", {"queries": "one"}),
        ("key", "BLHD_STORAGE", {"heads": "one group"}),
        ("value", "TRANSPOSED", {"keys": "one"}),
    ],
)
def test_an_input_without_a_step_along_an_axis_cannot_lie_otherwise_there(
    name: str, place: str, others: dict[str, str]
) -> None:
    steps = {"heads": "several", "queries": "few", "keys": "few", f"{name}_memory": place}
    assert is_possible(LEAST | steps)
    assert not is_possible(LEAST | steps | others)
