"""The workers of pytest-xdist read the command line again, and must come to the same run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from attention_tests.environment import suite
from attention_tests.pytest_plugin.workers import SEED, in_one_word, seed_of
from tests.command.test_command import run, table

ENOUGH = 20
"""Problems that tell two seeds apart."""

REMEMBERS = """
import os
from hashlib import sha256

import numpy as np


def attention(query, key, value):
    with open(f"{os.getpid()}.problems", "a") as file:
        file.write(sha256(query.tobytes() + key.tobytes() + value.tobytes()).hexdigest() + "\\n")
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ value
"""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--report", "r", "-n2"], ["--report=r", "-n2"]),
        (["--report=r", "tests"], ["--report=r", "tests"]),
        (["-x", "--database", "d", "--report", "--odd"], ["-x", "--database=d", "--report=--odd"]),
        (["--report"], ["--report"]),
        ([], []),
    ],
)
def test_a_folder_is_one_word_with_its_option(given: list[str], told: list[str]) -> None:
    assert in_one_word(given) == told


def test_a_report_may_be_written_anywhere_by_workers(tmp_path: Path) -> None:
    a_law = ("--target", "numpy", "--profile", "quick", "--dtype", "float32", "-k", "row_per_query")
    options = ("-n2", "-pno:cacheprovider", "--report", str(tmp_path / "reports"))
    command = [sys.executable, "-m", "pytest", *options, *a_law]
    done = subprocess.run(command, cwd=suite.FOLDER, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert (tmp_path / "reports" / "report.html").is_file()


def config_of(seed: int | None, **told: object) -> pytest.Config:
    return cast("pytest.Config", SimpleNamespace(getoption={"seed": seed}.get, **told))


def test_a_worker_takes_the_seed_that_it_is_told() -> None:
    assert seed_of(config_of(None)) is None
    assert seed_of(config_of(7)) == 7
    assert seed_of(config_of(None, workerinput={SEED: 8})) == 8
    assert seed_of(config_of(7, workerinput={})) == 7


def problems_of(folder: Path) -> list[str]:
    """Return what was asked of the implementation by the process that explored: the others only try it."""
    return max((file.read_text().splitlines() for file in folder.glob("*.problems")), key=len)


def test_the_seed_that_is_printed_is_that_of_the_workers(tmp_path: Path) -> None:
    # On a clock of its own, so that a busy machine tries no fewer problems.
    clock = ("-p", "tests.support.ticking")
    explored = (
        "remembers:attention",
        "--profile=explore",
        "--budget=2",
        "--dtype=float32",
        "-k",
        "every_element",
        *clock,
    )
    problems: list[list[str]] = []
    options = ["-n1"]
    for name in ("by a worker", "again, alone"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "remembers.py").write_text(REMEMBERS)
        done = run(folder, *explored, *options)
        assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
        problems.append(problems_of(folder))
        options = re.findall(r"--seed|\d+(?= tries)", table(done.stdout, "explored")[0])
    both = min(map(len, problems))
    assert both > ENOUGH
    assert problems[0][:both] == problems[1][:both]
