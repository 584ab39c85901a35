"""Every word of the report is counted on its own, explained, and ends a run as it should."""

from __future__ import annotations

import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.pytest_plugin.parametrized import end_as
from attention_tests.pytest_plugin.plugin import WORDS
from tests.command.test_command import run

EACH_IN_TURN = """\
from itertools import cycle
from attention_tests.pytest_plugin import plugin
from attention_tests.engine.verdict import Outcome, Verdict

words = cycle(Verdict)

def decide(law, subject, run):
    word = next(words)
    return Outcome(word, f"this is: {word}")

plugin.decide = decide
"""
COUNTED_BY_PYTEST = {Verdict.FAIL: "failed", Verdict.PASS: "passed", Verdict.NOT_RUN: "failed"}
"""A law that was run and is said not to be is a defect of ours."""
BAD = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.CRASH,
    Verdict.TIMEOUT,
    Verdict.UNEXPECTED_PASS,
    Verdict.NOT_RUN,
)


@pytest.fixture(scope="module")
def all_words(tmp_path_factory: pytest.TempPathFactory) -> CompletedProcess[str]:
    folder: Path = tmp_path_factory.mktemp("words")
    (folder / "each_in_turn.py").write_text(EACH_IN_TURN)
    return run(
        folder, "numpy", "--dtype=float64", "-p", "each_in_turn", "-rsx", "-k", "test_side_effects", "--all-failures"
    )


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_counted(all_words: CompletedProcess[str], verdict: Verdict) -> None:
    word = COUNTED_BY_PYTEST.get(verdict) or WORDS[verdict][0]
    assert f" {word}" in all_words.stdout.splitlines()[-1]
    _, _, promises = all_words.stdout.partition("= promises =")
    assert re.search(rf"\b\d+ {verdict}\b", promises)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.PASS])
def test_every_verdict_but_pass_is_explained(all_words: CompletedProcess[str], verdict: Verdict) -> None:
    assert f"this is: {verdict}\n" in all_words.stdout


@pytest.mark.parametrize("verdict", BAD)
def test_failing_verdicts_fail_the_run(verdict: Verdict) -> None:
    with pytest.raises(pytest.fail.Exception, match="because"):
        end_as(verdict, "because")


def test_other_verdicts_do_not_fail_the_run() -> None:
    end_as(Verdict.PASS, "")
    with pytest.raises(pytest.skip.Exception, match="because"):
        end_as(Verdict.UNSUPPORTED, "because")
    with pytest.raises(pytest.xfail.Exception, match="because"):
        end_as(Verdict.EXPECTED_FAILURE, "because")
    assert {*BAD, Verdict.PASS, Verdict.UNSUPPORTED, Verdict.EXPECTED_FAILURE} == {*Verdict}
