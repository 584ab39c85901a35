"""The examples that need no more than the gate has: the right kernel passes, the wrong one fails, as its page shows."""

from __future__ import annotations

import re
import shutil

import pytest

from attention_tests.environment import suite
from tests.support.shown import missing, run

EXAMPLES = suite.FOLDER / "examples"
NEEDED = {"c": "cc"}
"""The program without which an example cannot run."""
ENDINGS = {"right": pytest.ExitCode.OK, "wrong": pytest.ExitCode.TESTS_FAILED}


def shown(name: str, which: str) -> tuple[str, list[str]]:
    """Return the command that the page of an example shows for one of its two kernels, and what it shows of it."""
    page = EXAMPLES.joinpath(name, "README.md").read_text("utf-8")
    right, wrong = re.findall(r"^```console\n\$ (.*)\n((?:.*\n)*?)^```$", page, re.MULTILINE)
    command, lines = right if which == "right" else wrong
    return command, lines.splitlines()


@pytest.mark.parametrize("which", ENDINGS)
@pytest.mark.parametrize("name", ["c", "kernelbench"])
def test_an_example_ends_and_prints_as_its_page_shows(name: str, which: str) -> None:
    if name in NEEDED and not shutil.which(NEEDED[name]):
        pytest.skip(f"the example examples/{name} needs the program {NEEDED[name]!r}, which is not here")
    command, expected = shown(name, which)
    done = run(suite.FOLDER, command)
    assert done.returncode == ENDINGS[which], done.stdout
    assert not missing(expected, done.stdout), done.stdout
