"""README's first example says what it is said to, on one screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_tests.environment import suite
from tests.command.test_command import run

SCREEN = 40
README = (suite.FOLDER / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("torch")
    folder: Path = tmp_path_factory.mktemp("readme")
    (folder / "mykernels").mkdir()
    kernel = re.search(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert kernel is not None
    (folder / "mykernels" / "flash.py").write_text(kernel[1])
    return run(folder, "mykernels/flash.py:attention", "--dtype", "float32", "--profile", "quick").stdout


def test_the_cause_is_named(printed: str) -> None:
    assert "mykernels/flash.py:attention (float32): it scales by 1/√d_v in place of 1/√d_k.\n" in printed
    assert "it scales by 1/√d_v in place of 1/√d_k.\n" in README


def test_a_failing_run_fits_on_one_screen(printed: str) -> None:
    assert len(printed.splitlines()) < SCREEN


def test_one_counterexample_is_shown(printed: str) -> None:
    assert printed.count("The smallest problem found:") == 1
    assert printed.count("breaks a law.") == 1


def test_all_failures_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    options = ("--dtype", "float64", "--profile", "quick", "-k", "test_matrix")
    short, long = (
        run(tmp_path, "tests.support.targets:forgets_the_scale", *options, *more).stdout
        for more in ((), ("--all-failures",))
    )
    assert short.count("breaks a law.") == 1
    assert long.count("breaks a law.") > 1
    assert long.count("The smallest problem found:") == long.count("breaks a law.")
    assert "it does not scale the scores.\n" in short
    assert "it does not scale the scores.\n" in long
