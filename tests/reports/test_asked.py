"""The lines of a report that say what was asked: merged from rows of several processes, dtypes and layouts."""

from __future__ import annotations

import numpy as np

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.calls import Account, Calls
from attention_tests.reports.asked import asked_of, asked_table


def calls(
    *shapes: tuple[tuple[int, ...], ...], step: str = "attention", layout: str = "BHLD", **options: object
) -> Calls:
    account = Account(layout)
    for shape in shapes:
        account.add(step, [np.empty(one, np.float32) for one in shape], options)
    return account.taken()


def rows(*found: Calls, implementation: str = "mine") -> list[Row]:
    return [
        Row(f"test_{place}", "softmax", implementation, "float32", "float32", Verdict.PASS, calls=one)
        for place, one in enumerate(found)
    ]


SMALL = ((1, 1, 1, 4), (1, 1, 2, 4), (1, 1, 2, 4))
GROUPED = ((3, 6, 2, 64), (3, 2, 4097, 64), (3, 2, 4097, 32))


def test_sizes_are_ranges_and_signatures_are_counted_once_over_all_processes() -> None:
    assert asked_of(rows(calls(SMALL, GROUPED), calls(SMALL, SMALL)), "mine") == [
        "calls: 4, of 2 distinct signatures",
        "keys 2…4,097; queries 1…2; widths 4…64 (keys), 4…32 (values)",
        "batch × heads up to 18; up to 3 query heads for a key head",
        "options: none",
    ]


def test_heads_are_found_in_the_layout() -> None:
    blhd = tuple((batch, length, heads, width) for batch, heads, length, width in GROUPED)
    ld = tuple(shape[2:] for shape in SMALL)
    sizes = asked_of(rows(calls(GROUPED)), "mine")[1:3]
    assert asked_of(rows(calls(blhd, layout="BLHD")), "mine")[1:3] == sizes
    assert asked_of(rows(calls(ld, layout="LD")), "mine")[1:3] == asked_of(rows(calls(SMALL)), "mine")[1:3]


def test_gradients_and_options_are_told_apart() -> None:
    found = rows(calls(SMALL, scale=2.0), calls((*SMALL, SMALL[0]), step="gradient", causal=True))
    lines = asked_of(found, "mine")
    assert "options: scale" in lines
    assert "gradients: options: causal" in lines


def test_places_in_memory_are_named() -> None:
    account = Account("BHLD")
    account.add_placements(["in Fortran order"])
    account.add("attention", [np.empty(shape) for shape in SMALL], {})
    assert "memory: contiguous, in Fortran order" in asked_of(rows(account.taken()), "mine")


def test_nothing_is_said_of_one_that_was_asked_nothing_and_each_is_named() -> None:
    found = rows(Calls()) + rows(calls(SMALL), implementation="other")
    assert asked_of(found, "mine") == []
    assert asked_table(found).splitlines()[0] == "other"
    assert not asked_table(rows(Calls()))


def test_calls_of_other_steps_count_without_sizes() -> None:
    assert asked_of(rows(calls(((3, 4),), step="softmax")), "mine") == ["calls: 1, of 1 distinct signatures"]
