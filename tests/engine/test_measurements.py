from __future__ import annotations

import pytest

from attention_tests.engine.measurements import measuring, record_count, record_finding, record_largest


def test_the_largest_number_is_kept() -> None:
    with measuring() as measured:
        for number in (-3.0, -1.0, -2.0):
            record_largest("error", number)
    assert measured == {"error": -1.0}


def test_counts_add_up() -> None:
    with measuring() as measured:
        record_count("elements", 2)
        record_count("elements", 3)
    assert measured == {"elements": 5}


def test_the_last_finding_is_kept() -> None:
    with measuring() as measured:
        record_finding("counterexample", "one")
        record_finding("counterexample", "another")
    assert measured == {"counterexample": "another"}


def test_nothing_is_recorded_outside_of_a_run() -> None:
    record_count("elements", 2)
    with measuring() as measured:
        pass
    record_count("elements", 2)
    assert measured == {}


def record_and_raise() -> None:
    with measuring():
        record_count("elements", 1)
        raise ValueError("ended")


def test_an_exception_ends_only_its_own_measurement() -> None:
    with measuring() as outer:
        with pytest.raises(ValueError, match="ended"):
            record_and_raise()
        record_count("elements", 2)
    assert outer == {"elements": 2}
