"""Calls that show no sign of a test, against kernels that are right only where they are tested."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

CHECKERS = (
    "attention_tests",
    "properties",
    "explanations",
    "reference",
    "hypothesis",
    "pytest",
    "_pytest",
    "pluggy",
    "xdist",
)
"""The packages by which a process shows that something is checked in it."""


def call_concealed(call: Callable[[], T], *, on_a_thread: bool) -> T:
    """Make a call from a process that looks like any other; on a thread, nobody is seen to have called."""
    with _without_signs():
        if not on_a_thread:
            return call()
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(call).result()


@contextmanager
def _without_signs() -> Iterator[None]:
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in CHECKERS}
    variables = {name: value for name, value in os.environ.items() if name.startswith("PYTEST")}
    arguments = sys.argv
    for name in modules:
        del sys.modules[name]
    for name in variables:
        del os.environ[name]
    sys.argv = [""]
    try:
        yield
    finally:
        sys.modules.update(modules)
        os.environ.update(variables)
        sys.argv = arguments
