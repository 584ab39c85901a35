"""Exploring from the command line: the budget, workers, machines that share what they find, and what to pin."""

from __future__ import annotations

import json
import re
import tomllib
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import cast

import pytest

from attention_tests.engine.plan_text import read
from attention_tests.engine.profiles import DEFAULT, EXPLORE, QUICK, Profile
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.pytest_plugin.exploring import pinned, pytest_configure
from attention_tests.pytest_plugin.run import RUN, Run
from properties.drawing.plans import Plan
from tests.command.test_command import run, sentence, table
from tests.support.redis_server import free_port, redis_server
from tests.support.ticking import TICK

EXPLORING = ("--profile", "explore")
FOUND = "found by exploring: to pin it, add to attention-tests.toml"
LOOKS = 3
"""How often a property looks at the clock before its first problem, at most."""

RARE = """
import numpy as np


def attention(query, key, value):
    scores = query @ key.swapaxes(-1, -2) / query.shape[-1] ** 0.5
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    answer = weights / weights.sum(-1, keepdims=True) @ value
    return answer + (min(query.shape[-2], key.shape[-2]) > 3)
"""


def problems_of(folder: Path) -> list[float]:
    """Return how many problems each property that was explored tried, from the JSON report."""
    rows = json.loads((folder / "reports" / "report.json").read_text())["rows"]
    return [row["measured"]["problems"] for row in rows if row["verdict"] == "pass"]


@pytest.mark.parametrize(("workers", "budget"), [((), 4), (("-n", "2"), 2)], ids=["one process", "two workers"])
def test_every_property_has_its_share_of_the_budget(tmp_path: Path, workers: tuple[str, ...], budget: int) -> None:
    # Two laws that are explored at two dtypes, and one that is unsupported.
    laws = ("-k", "row_per_query or same_call_gives or projection_of_a_sum", "--dtype", "float32", "--dtype", "float64")
    clock = ("-p", "tests.support.ticking")
    done = run(tmp_path, "numpy", *EXPLORING, f"--budget={budget}", *laws, *clock, *workers, "--report=reports")
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "unsupported" in done.stdout
    assert problems_of(tmp_path) == pytest.approx([1 / TICK] * 4, abs=LOOKS)


@pytest.mark.parametrize(
    ("profile", "options", "words"),
    [
        (DEFAULT, {"budget": "1m"}, "--budget is for exploring: add --profile explore"),
        (QUICK, {"database": "x"}, "--database is for exploring: add --profile explore"),
        (EXPLORE, {"budget": "soon"}, "'soon' is no time to explore for"),
        (EXPLORE, {"budget": ""}, "'' is no time to explore for"),
        (EXPLORE, {"database": "mysql://localhost"}, "mysql:// is not known"),
    ],
)
def test_invalid_options_are_refused_in_one_sentence(profile: Profile, options: dict[str, str], words: str) -> None:
    config = SimpleNamespace(stash={RUN: Run(profile)}, getoption=options.get)
    with pytest.raises(pytest.UsageError) as refused:
        pytest_configure(cast("pytest.Config", config))
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_an_unreachable_server_is_reported_before_anything_runs(tmp_path: Path) -> None:
    refused = run(tmp_path, "numpy", *EXPLORING, f"--database=redis://127.0.0.1:{free_port()}/0")
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the Redis server at 127.0.0.1 does not let us in" in sentence(refused)


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> list[CompletedProcess[str]]:
    """Return a run that has time, one that shares its database and has time for one problem, and one that is alone."""
    folder = tmp_path_factory.mktemp("caller")
    (folder / "rare.py").write_text(RARE)
    explored = partial(run, folder, "rare:attention", *EXPLORING, "-k", "every_element", "--dtype=float32")
    with redis_server(folder) as (_, address):
        shared = f"--database=redis://{address}/0"
        together = [explored("--budget=20s", shared), explored("--budget=0.001", shared)]
    return [*together, explored("--budget=0.001", "--seed=7")]


def test_machines_that_share_a_server_replay_what_one_of_them_found(three_runs: list[CompletedProcess[str]]) -> None:
    assert [done.returncode for done in three_runs] == [1, 1, 0]
    first, second, alone = three_runs
    # The one problem that there was time for is the simplest, on which nothing goes wrong, or one that is replayed.
    assert all(table(done.stdout, "explored")[0].startswith("1 problems; ") for done in (second, alone))
    (problem,), (again,) = (tomllib.loads("\n".join(table(done.stdout, FOUND)))["problem"] for done in (first, second))
    assert problem["law"] == again["law"] == "test_every_element_is_inside_the_derived_bound"
    assert problem["plan"] == again["plan"]
    assert min(read(problem["plan"]).queries, read(problem["plan"]).keys) > 3


def test_each_run_has_a_seed_of_its_own_which_can_be_given(three_runs: list[CompletedProcess[str]]) -> None:
    seeds = [set(re.findall(r"seed (\d+)", done.stdout)) for done in three_runs]
    assert [len(said) for said in seeds] == [1, 1, 1]
    assert len(set.union(*seeds)) == 3
    assert seeds[2] == {"7"}


def row(plan: str, verdict: Verdict = Verdict.FAIL) -> Row:
    return Row("test_a_law", "scale", "mine", "float32", "float32", verdict, counterexample=plan)


def test_problems_to_pin_are_written_once_and_read_back() -> None:
    plan = Plan(keys=2, regimes=("iota",))
    rows = [row(repr(plan)), row(repr(plan)), row('"\\\n'), row("Plan()", Verdict.PASS), row("")]
    problems = tomllib.loads(pinned(rows, seed=123))["problem"]
    assert [problem["plan"] for problem in problems] == [repr(plan), '"\\\n']
    assert problems[0] == {"law": "test_a_law", "plan": repr(plan), "note": "found by explore, seed 123"}
    assert read(problems[0]["plan"]) == plan


def test_no_pin_is_written_if_nothing_failed() -> None:
    assert not pinned([row("Plan()", Verdict.PASS)], seed=123)
