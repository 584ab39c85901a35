"""The expectations of a run from end to end: written, read, judged, and not judged where a part is selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest

from attention_tests.engine.profiles import QUICK
from attention_tests.environment import suite
from attention_tests.execution.subject import Subject
from attention_tests.expectations.book import Book
from attention_tests.expectations.entries import TO_BE_WRITTEN, Declaration, Expectations
from attention_tests.pytest_plugin.expectations import SELECTING, Gate, is_whole
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.summary import Summary
from implementations import SHIPPED
from tests.command.test_command import run, sentence

KERNEL = """\
import numpy as np
from attention_tests import Implementation

def project(x, w):
    if len(w) == 16:
        raise ValueError("16 is not supported")
    return x @ w

layer = Implementation(name="mine", project=project)
"""
LAW = "test_each_token_is_projected_independently"
MINE = ("mine:layer", "--profile=quick", "--dtype=float32")


class Project:
    """A folder with a projection that is wrong for words of width 16, and what became of the runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "attention-tests.toml"
        (folder / "mine.py").write_text(KERNEL)
        self.updating = self.run("--update-expectations")
        self.written = self.file.read_text()
        self.refused = self.run()
        self.file.write_text(self.written.replace(TO_BE_WRITTEN, "16 is too wide"))
        self.explained = self.file.read_text()
        self.updating_again = self.run("--update-expectations")
        self.explained_again = self.file.read_text()

    def run(self, *arguments: str) -> CompletedProcess[str]:
        return run(self.folder, *MINE, *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"))


def test_an_update_writes_what_broke_and_what_is_declared(project: Project) -> None:
    assert project.updating.returncode == pytest.ExitCode.TESTS_FAILED
    assert "attention-tests.toml is written: 3 known failures" in project.updating.stdout
    assert "3 of them have no reason: write one for each" in project.updating.stdout
    assert f'\n[[finding]]\nreason = "{TO_BE_WRITTEN}"\nverdict = "error"\ncases = [\n' in project.written
    assert f'    {{law = "{LAW}", on = ["mine"], dtypes = ["float32"], counter' in project.written
    assert 'counterexample = "SentencePlan(d_model=16' in project.written
    declared = 'dtypes = ["float64", "float32"], steps = ["project"], features = ["lengths", '
    assert f"\n[declared]\nmine = {{{declared}" in project.written


def test_known_failures_without_a_reason_are_refused(project: Project) -> None:
    assert project.refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "on mine: say why in `reason`" in project.refused.stderr
    assert len(project.refused.stderr.split()) < 60


def test_another_update_changes_nothing_and_expects_the_failures(project: Project) -> None:
    assert project.updating_again.returncode == pytest.ExitCode.OK
    assert "3 expected failures" in project.updating_again.stdout
    assert project.explained_again == project.explained


@pytest.fixture(scope="module")
def expecting_more(project: Project) -> Project:
    project.file.write_text(project.explained.replace('steps = ["project"]', 'steps = ["project", "score"]'))
    return project


def test_a_run_below_the_coverage_floor_fails(expecting_more: Project) -> None:
    done = expecting_more.run("-n", "2")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "= below the coverage floor =" in done.stdout
    assert "mine (float32) exposes no `score`: no verdict on test_" in done.stdout
    assert " failed" not in done.stdout.splitlines()[-1]


def test_a_selection_is_not_checked_against_the_expectations(expecting_more: Project) -> None:
    done = expecting_more.run("-k", LAW)
    assert done.returncode == pytest.ExitCode.OK
    assert "coverage floor" not in done.stdout


@pytest.mark.parametrize("selected", ["test_softmax_normalises_the_exponentials", "no_such_law"])
def test_a_run_that_verifies_nothing_ends_with_four(expecting_more: Project, selected: str) -> None:
    done = expecting_more.run("-k", selected)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing was verified" in done.stdout


def test_a_named_file_is_read_instead_of_the_default(project: Project) -> None:
    done = project.run("--expectations", "missing.toml")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no file missing.toml" in sentence(done)


def session(*arguments: str, options: Mapping[str, Any] | None = None, **state: Any) -> Any:
    config = SimpleNamespace(
        args=arguments or (str(suite.FOLDER / "properties"),),
        invocation_params=SimpleNamespace(dir=suite.FOLDER),
        getoption=lambda name, otherwise=None: (options or {}).get(name, otherwise),
    )
    return SimpleNamespace(**{"config": config, "shouldstop": False, "shouldfail": False, "testsfailed": 0} | state)


@pytest.mark.parametrize(
    ("device", "target", "judged"), [("cpu", [], True), ("cpu", ["mine"], False), ("cuda", [], False)]
)
def test_those_of_the_gate_are_judged_where_none_is_named(device: str, target: list[str], judged: bool) -> None:  # noqa: FBT001 - a table
    numpy = SHIPPED.load("numpy")
    mine = Subject(replace(numpy, name="mine"), "float64")
    run = Run(QUICK, [mine], expectations=Expectations(declared={"numpy": Declaration.of(numpy)}), device=device)
    gate = Gate(Book(Path("mine.toml"), Expectations(), Expectations()), run, Summary(run))
    gate.pytest_sessionfinish(session(options={"target": target}), pytest.ExitCode.TESTS_FAILED)
    assert any(") is not in the run: " in sentence for sentence in gate.below) is judged


@pytest.mark.parametrize("asked", [session(), session("properties"), session("."), session("tests", "properties/")])
def test_a_run_of_all_properties_is_whole(asked: Any) -> None:
    assert is_whole(asked)


def test_a_run_with_exitfirst_is_whole_if_nothing_failed() -> None:
    assert is_whole(session(options={"maxfail": 1}))


@pytest.mark.parametrize(
    "asked",
    [
        *(session(options={option: "any"}) for option in SELECTING),
        session("properties/test_heads.py"),
        session("properties/test_heads.py::test_one_key_head_can_serve_all_query_heads[numpy-float64]"),
        session(shouldstop="at the first failure"),
        session(shouldfail="at the first failure"),
        session(options={"maxfail": 1}, testsfailed=1),
    ],
)
def test_a_run_of_a_part_is_not_whole(asked: Any) -> None:
    assert not is_whole(asked)
