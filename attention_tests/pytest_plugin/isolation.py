"""The options of isolation, read from pytest's configuration."""

from __future__ import annotations

import pytest

from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.isolation.process import Limits
from attention_tests.frameworks.found import Arrays


def isolation_of(config: pytest.Config) -> Isolation:
    """Read the options. Raises pytest.UsageError where they cannot be followed."""
    isolate, seconds, gibibytes = (config.getoption(name) for name in ("isolate", "call_seconds", "memory"))
    if isolate and not POSSIBLE:
        raise pytest.UsageError("--isolate needs Linux: leave it out, and run only what you trust")
    if seconds <= 0:
        raise pytest.UsageError(f"--call-seconds: {seconds:g} is no time; give a positive number of seconds")
    if gibibytes < 0:
        raise pytest.UsageError(f"--memory: {gibibytes:g} is no amount; give a number of GiB, or 0 for any")
    return Isolation(
        isolate, Limits(seconds, gibibytes), Arrays(config.getoption("arrays"), config.getoption("device"))
    )
