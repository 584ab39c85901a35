"""Verdicts, and the outcome of one law on one implementation at one dtype."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from attention_tests.execution.failures import Crashed, Failure, ImplementationRaised, TimedOut

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Verdict(StrEnum):
    """The words of the report. Listed as they matter: the first of several speaks for a group."""

    FAIL = "fail"
    CRASH = "crash"
    TIMEOUT = "timeout"
    ERROR = "error"
    UNEXPECTED_PASS = "unexpected pass"  # noqa: S105 - no password
    NOT_RUN = "not run"
    EXPECTED_FAILURE = "expected failure"
    PASS = "pass"  # noqa: S105 - no password
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Outcome:
    """A verdict, the words that explain it, and what was measured on the way."""

    verdict: Verdict
    explanation: str = ""
    measured: dict[str, float | str] = field(default_factory=dict)
    counterexample: str = ""
    """The plan of the problem that broke the law, as text."""
    broken_on: Any = None
    """The input that broke the law, made as small as was possible; None where none is known."""


def verdict_of(failure: Failure) -> Verdict:
    """Return the word for what went wrong."""
    words = {Crashed: Verdict.CRASH, TimedOut: Verdict.TIMEOUT, ImplementationRaised: Verdict.ERROR}
    return words.get(type(failure), Verdict.FAIL)
