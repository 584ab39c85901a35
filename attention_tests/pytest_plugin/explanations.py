"""Explanations of verdicts that pytest has no word for, and so counts but does not print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict

ALWAYS = {
    Verdict.CRASH: "CRASHES",
    Verdict.TIMEOUT: "TIMEOUTS",
    Verdict.UNEXPECTED_PASS: "UNEXPECTED PASSES",
}


def print_explanations(terminal: pytest.TerminalReporter, rows: Iterable[Row]) -> None:
    """Print what went wrong as pytest prints failures, with -rs what is unsupported, with -rx what is expected."""
    rows = list(rows)
    for verdict, title in ALWAYS.items():
        those = [row for row in rows if row.verdict is verdict]
        if those:
            terminal.section(title)
        for row in those:
            terminal.section(f"{row.law}[{row.implementation}-{row.dtype}]", sep="_")
            terminal.write_line(row.explanation)
    if terminal.hasopt("s"):
        _print_counted(terminal, "unsupported", (row.explanation for row in rows if row.verdict is Verdict.UNSUPPORTED))
    if terminal.hasopt("x"):
        expected = (row for row in rows if row.verdict is Verdict.EXPECTED_FAILURE)
        _print_counted(terminal, "expected failures", (f"{row.law}: {row.explanation}" for row in expected))


def _print_counted(terminal: pytest.TerminalReporter, title: str, sentences: Iterable[str]) -> None:
    counts = Counter(sentences)
    if counts:
        terminal.section(title)
    for sentence, times in counts.items():
        terminal.write_line(f"[{times}] {sentence}")
