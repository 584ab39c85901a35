"""Measurements that a law makes besides its verdict: the largest error over bound, a variance, a ratio of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Measurements = dict[str, float | str]

ERROR_OVER_BOUND = "error over bound"
"""The largest of what was accepted: at most 1."""

ERROR_OUTSIDE = "error over bound, outside"
"""The largest of what was not accepted: more than 1, and infinite where there was no number at all."""

_current: ContextVar[Measurements | None] = ContextVar("measurements", default=None)


@contextmanager
def measuring() -> Iterator[Measurements]:
    """Collect what is recorded inside the block."""
    measurements: Measurements = {}
    token = _current.set(measurements)
    try:
        yield measurements
    finally:
        _current.reset(token)


def record_largest(name: str, number: float) -> None:
    """Keep the largest of the numbers recorded under `name`; outside of a run, nothing is kept."""
    measurements = _current.get()
    if measurements is not None:
        measurements[name] = max(number, float(measurements.get(name, number)))


def record_count(name: str, number: int) -> None:
    """Add `number` to the count under `name`."""
    measurements = _current.get()
    if measurements is not None:
        measurements[name] = float(measurements.get(name, 0)) + number


def record_finding(name: str, words: str) -> None:
    """Keep a sentence under `name`, for the report."""
    measurements = _current.get()
    if measurements is not None:
        measurements[name] = words
