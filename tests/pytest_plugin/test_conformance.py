"""Every law as a test in somebody's own test file: under their configuration, in their words, in their process."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attention_tests import conformance
from attention_tests.engine.catalogue import all_laws
from attention_tests.environment import suite
from tests.support import targets

CONFIGURATION = """
[pytest]
python_files = check_*.py
python_functions = check* laws*
addopts = --strict-markers --strict-config -p no:cacheprovider
filterwarnings = error
markers = slow: takes long
"""
CONFTEST = """
import numpy as np
import pytest

np.seterr(all="raise")

@pytest.fixture(autouse=True)
def everywhere(request):
    yield

def pytest_collection_modifyitems(items):
    items.reverse()
"""
EXPECTATIONS = """
[[finding]]
reason = "the scale is left out on purpose"

[[finding.cases]]
law = "test_every_element_is_inside_the_derived_bound"
on = ["tests.support.targets:forgets_the_scale"]
dtypes = ["float32"]
"""
TESTS = """
import pytest
from attention_tests import Implementation, Precision, conformance
from tests.support.targets import attention, forgets_the_scale, returns_none

laws_right = pytest.mark.slow(conformance(attention, profile="quick", dtypes=["float32"]))
laws_wrong = conformance(forgets_the_scale, profile="quick", dtypes=["float32"])
laws_declared = conformance(
    Implementation(name="halves", attention=attention, dtypes={"float16": Precision.pure("float16")}), profile="quick"
)
laws_by_name = conformance("numpy", profile="quick", dtypes=["float64"])
laws_known = conformance(
    forgets_the_scale, profile="quick", dtypes=["float32"], expectations="known.toml"
)
laws_none = conformance(returns_none, dtypes=["float32"])
laws_class = conformance("tests.support.targets:WantsAWidth")
laws_number = conformance(3)
laws_unknown = conformance("numpyy")
laws_profile = conformance(attention, profile="quik")
laws_file = conformance(attention, expectations="no_such.toml")
laws_dtype = conformance(attention, dtypes=["float23"])

def check_of_theirs():
    pass
"""
A_FEW = "every_element_is_inside_the_derived_bound or scale_of_any_sign_works_with or of_theirs or not float"


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(suite.FOLDER), "COLUMNS": "160"}
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "pytest.ini").write_text(CONFIGURATION)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "check_flash.py").write_text(TESTS)
    (folder / "known.toml").write_text(EXPECTATIONS)
    return folder


@pytest.fixture(scope="module")
def done(theirs: Path) -> subprocess.CompletedProcess[str]:
    return pytest_in(theirs, "-v", "-n2", "-rs", "-k", A_FEW)


def words_of(done: subprocess.CompletedProcess[str], test: str) -> list[str]:
    return re.findall(rf"^\[gw\d\] \[ *\d+%\] (\w+) check_flash\.py::{re.escape(test)} *$", done.stdout, re.MULTILINE)


BOUND = "every_element_is_inside_the_derived_bound"


@pytest.mark.parametrize(
    ("test", "word"),
    [
        (f"laws_right[{BOUND}-float32]", "PASSED"),
        (f"laws_wrong[{BOUND}-float32]", "FAILED"),
        (f"laws_declared[{BOUND}-float16]", "PASSED"),
        (f"laws_by_name[{BOUND}-float64]", "PASSED"),
        (f"laws_known[{BOUND}-float32]", "XFAIL"),
        (f"laws_none[{BOUND}-float32]", "FAILED"),
        ("laws_right[a_scale_of_any_sign_works_with_causality-float32]", "SKIPPED"),
        ("laws_number", "FAILED"),
        ("check_of_theirs", "PASSED"),
    ],
)
def test_each_law_is_a_test_in_the_callers_file(done: subprocess.CompletedProcess[str], test: str, word: str) -> None:
    assert words_of(done, test) == [word]


@pytest.mark.parametrize(
    "sentence",
    [
        "tests.support.targets:forgets_the_scale (float32, promised precision: float32) breaks a law.",
        "attention returned None",
        "tests.support.targets:WantsAWidth is a class, and making one without arguments raised TypeError",
        "builtins:int is an int, which cannot be called",
        "'numpyy' is not known: did you mean 'numpy'?",
        "profile: 'quik' is not known: did you mean 'quick'?",
        "'float23' is not known",
        "expectations: there is no file no_such.toml",
        "tests.support.targets:attention does not declare `scale`",
    ],
)
def test_a_broken_law_is_explained(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert sentence in done.stdout


def test_no_internals_are_printed(done: subprocess.CompletedProcess[str]) -> None:
    for word in ("Traceback", "one_line.py", "parametrized.py", "Hypothesis", "Warning"):
        assert word not in done.stdout + done.stderr


def test_a_skip_is_reported_at_the_line_of_the_caller(done: subprocess.CompletedProcess[str]) -> None:
    line = 1 + TESTS.splitlines().index(next(one for one in TESTS.splitlines() if one.startswith("laws_right")))
    assert f"check_flash.py:{line}: tests.support.targets:attention does not declare" in done.stdout


def test_every_law_is_run_at_every_dtype(theirs: Path) -> None:
    listed = pytest_in(theirs, "--collect-only", "-q", "-k", "laws_declared or laws_none").stdout.splitlines()
    assert sum("::laws_declared[" in line for line in listed) == len(all_laws())


def test_a_package_of_the_caller_that_shadows_the_suites_is_named(tmp_path: Path) -> None:
    (tmp_path / "reference.py").touch()
    (tmp_path / "test_flash.py").write_text(
        "from attention_tests import conformance\ntest_flash = conformance(len)\ndef test_of_theirs():\n    pass\n"
    )
    done = pytest_in(tmp_path, "-q", "-pno:cacheprovider")
    assert "1 failed, 1 passed" in done.stdout
    assert f"the suite needs a package 'reference' of its own, and {tmp_path / 'reference.py'} is in its place" in (
        done.stdout
    )


def test_conformance_calls_nothing_at_import() -> None:
    assert callable(conformance(targets.is_interrupted))


def test_verdicts_are_the_same_without_frame_inspection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "currentframe", lambda: None)
    held: Any = conformance(targets.forgets_the_scale, profile="quick", dtypes=["float32"])
    assert held.__code__.co_filename != __file__
    ((_, cases),) = (mark.args for mark in held.pytestmark)
    (bound,) = (case.values for case in cases if case.id == f"{BOUND}-float32")
    with pytest.raises(pytest.fail.Exception, match="breaks a law"):
        held(*bound)
