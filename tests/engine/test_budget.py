"""A budget is read as it is written, and shared out evenly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from types import SimpleNamespace

import pytest

from attention_tests.engine import budget
from attention_tests.engine.budget import BadBudget, Budget, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1h1m1s", 3661),
        ("1.5h", 5400),
        ("0.25", 0.25),
        ("0h1s", 1),
        ("1h30s", 3630),
    ],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0", "0s", "-1", "1e3", "ten", "10 m", "1m1h", "1h30", "10min", "1.5.5", "5ms", ".5", "inf", "٣", "9" * 999],
)
def test_an_invalid_time_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadBudget, match="write one such as 90s, 10m or 1h30m") as refused:
        seconds_of(text)
    assert len(str(refused.value).splitlines()) == 1


def shares(monkeypatch: pytest.MonkeyPatch, taken: list[float], seconds: float = 10.0) -> list[float]:
    """Return the shares of properties that take so many seconds each; ALL stands for the whole share."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: clock.now))
    shared = Budget(seconds, properties=len(taken))
    seen = []
    for one in taken:
        share = shared.share_until() - clock.now
        seen.append(share)
        clock.now += one if one >= 0 else share
        shared.properties -= 1
    return seen


ALL = -1.0


def test_each_property_has_the_same_share(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shares(monkeypatch, [ALL] * 5) == pytest.approx([2.0] * 5)


def test_time_that_one_property_leaves_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shares(monkeypatch, [ALL, 0.5, ALL, ALL, ALL]) == pytest.approx([2.0, 2.0, 2.5, 2.5, 2.5])


def test_time_that_one_property_overruns_comes_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shares(monkeypatch, [5.0, ALL, ALL, ALL, ALL]) == pytest.approx([2.0, 1.25, 1.25, 1.25, 1.25])


def test_no_share_is_less_than_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shares(monkeypatch, [50.0, ALL, ALL]) == pytest.approx([10 / 3, 0.0, 0.0])


def test_the_clock_starts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: Iterator[float] = iter([5.0, 6.0, 7.0])
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    shared = Budget(10.0)
    assert [shared.begin() for _ in repeat(None, 3)] == [15.0, 15.0, 15.0]
