"""The lines that a page shows of a command, beside those that the command prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from attention_tests.environment import suite

PROGRAMS = {"attention-tests": ["-m", "attention_tests"], "pytest": ["-m", "pytest"], "python": []}
SKIPPED = "…"
"""A line, or the end of one, that is not shown."""

COUNTS = re.compile(r"\d+(?= (pass|unsupported|skipped))")
MEASURES = re.compile(r"\d+\.\d+[s%](?: \(\d+:\d\d:\d\d\))?|\b0\.\d\d\b")
DIGITS = re.compile(r"-?\d\.\d{6,}")


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that a page shows, in a folder."""
    program, *options = command.split()
    environment = os.environ | {"PYTHONPATH": str(suite.FOLDER), "PYTEST_ADDOPTS": "", "COLUMNS": "80"}
    # Where it believes to be in CI, pytest prints longer lines.
    for name in ("CI", "BUILD_NUMBER"):
        environment.pop(name, None)
    called = [sys.executable, *PROGRAMS[program], *options]
    done = subprocess.run(called, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert not done.stderr
    return done


def essential(line: str) -> str:
    """Leave out what another machine, or another law, may change: counts, measures, and the last digits."""
    line = MEASURES.sub("0.0", COUNTS.sub("0", line.strip()))
    return re.sub(r"  +|-+(?=  )", " ", DIGITS.sub(lambda number: f"{float(number[0]):.6g}", line))


def missing(expected: list[str], printed: str) -> list[str]:
    """Return the expected lines from the first on that is not printed, in its order."""
    lines = iter(map(essential, printed.splitlines()))
    wanted = [line for line in expected if line not in (SKIPPED, "")]
    return [line for line in wanted if not any(shows(essential(line), printed) for printed in lines)]


def shows(line: str, printed: str) -> bool:
    """Tell whether a line is what is printed, or its beginning, where its end is skipped."""
    return printed.startswith(line.removesuffix(SKIPPED)) if line.endswith(SKIPPED) else printed == line
