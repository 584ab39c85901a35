"""The part of the pytest plugin that isolates: its options."""

from __future__ import annotations

import argparse

import pytest

from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.isolation.process import Limits

USUAL = Limits()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("attention-tests")
    group.addoption(
        "--isolate",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="run implementations in processes of their own (default: all but the NumPy and PyTorch ones of the gate)",
    )
    group.addoption(
        "--call-seconds",
        type=float,
        default=USUAL.seconds,
        metavar="N",
        help="how long an isolated call may take (default: %(default)g)",
    )
    group.addoption(
        "--memory",
        type=float,
        default=USUAL.gibibytes,
        metavar="GIB",
        help="how much memory an isolated implementation may take, 0 for any (default: %(default)g GiB)",
    )


def isolation_of(config: pytest.Config) -> Isolation:
    """Read the options. Raises pytest.UsageError where they cannot be followed."""
    isolate, seconds, gibibytes = (config.getoption(name) for name in ("isolate", "call_seconds", "memory"))
    if isolate and not POSSIBLE:
        raise pytest.UsageError("--isolate needs Linux: leave it out, and run only what you trust")
    if seconds <= 0:
        raise pytest.UsageError(f"--call-seconds: {seconds:g} is no time; give a positive number of seconds")
    if gibibytes < 0:
        raise pytest.UsageError(f"--memory: {gibibytes:g} is no amount; give a number of GiB, or 0 for any")
    return Isolation(isolate, Limits(seconds, gibibytes))
