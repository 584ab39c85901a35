"""A plugin with a clock of its own, which moves on only when exploring asks for the time.

How many problems are tried is then the same on every machine, however busy.
"""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from attention_tests.engine import budget, explore, search

TICK = 2**-7
"""Seconds that go by from one look to the next: exact, so that sums of them are."""


def pytest_configure() -> None:
    """Take the clocks of a run that asked for this plugin: whoever only imports it keeps his own."""
    ticks = count()
    explore_by(SimpleNamespace(monotonic=lambda: next(ticks) * TICK), pytest.MonkeyPatch())


def explore_by(clock: Any, patch: pytest.MonkeyPatch) -> None:
    """Let exploring, and what explains a failure, tell the time by `clock`."""
    for module in (budget, explore, search):
        patch.setattr(module, "time", clock)
