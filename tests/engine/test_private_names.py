"""Private names of Hypothesis and of pytest-xdist may go: then the suite still verifies, and says what is different."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import xdist.scheduler  # type: ignore[import-untyped]

from attention_tests import Implementation, conformance
from attention_tests.engine import drawing
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK, Profile
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin import portions
from tests.command.test_command import run, table
from tests.pytest_plugin.test_exploring import problems_of
from tests.support import targets
from tests.support.without_private_names import GONE

INSIDE_THE_BOUND = next(law for law in all_laws() if law.name == "test_every_element_is_inside_the_derived_bound")
OTHERWISE = "cannot be kept from trying numbers that it reads in imported modules"


def test_with_all_of_them_there_is_nothing_to_say() -> None:
    assert not drawing.caveat()


@pytest.mark.parametrize(("place", "name"), list(enumerate(("READ", "FITTING", "NONE", "PROVIDERS"))))
def test_a_missing_private_name_of_hypothesis_is_reported(
    place: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, name, GONE)
    assert OTHERWISE in drawing.caveat()
    # What was drawn before is remembered, and so this is to be drawn anew.
    anew = Profile("anew", QUICK.examples, seed=place)
    for attention, verdict in ((targets.attention, Verdict.PASS), (targets.forgets_the_scale, Verdict.FAIL)):
        subject = Subject(Implementation(name="mine", attention=attention), "float32")
        assert hold(INSIDE_THE_BOUND, subject, anew).verdict is verdict


def test_it_is_said_where_conformance_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "READ", GONE)
    with pytest.warns(UserWarning, match=OTHERWISE) as warned:
        assert callable(conformance(targets.attention))
    assert [one.filename for one in warned] == [__file__]


@pytest.fixture(scope="module")
def poorer(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("caller")
    explored = (
        "--profile=explore",
        "--budget=2",
        "--dtype=float32",
        "-k",
        "row_per_query or same_call_gives_same_bits",
    )
    done = run(folder, "numpy", *explored, "-n2", "--report=reports", "-p", "tests.support.without_private_names")
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    return done, folder


def test_a_missing_private_name_of_xdist_is_reported(
    poorer: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = poorer
    assert len(problems_of(folder)) > 1
    assert "this pytest-xdist deals properties out itself: their shares are not equal" in table(done.stdout, "explored")


def test_a_run_and_its_report_say_that_others_may_be_drawn(
    poorer: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = poorer
    assert any(OTHERWISE in line for line in table(done.stdout, "problems"))
    report: dict[str, Any] = json.loads((folder / "reports" / "report.json").read_text("utf-8"))
    assert OTHERWISE in report["versions"]["hypothesis"]


def scheduler() -> Any:
    return portions.equal_portions(None, None)  # type: ignore[arg-type]


def test_no_scheduler_is_made_where_the_private_name_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(xdist.scheduler.LoadScopeScheduling, portions.SCOPE)
    assert scheduler() is None
    monkeypatch.delattr(xdist.scheduler, "LoadScopeScheduling")
    assert scheduler() is None
    with patch.dict(sys.modules, {"xdist.scheduler": None}):
        assert scheduler() is None
