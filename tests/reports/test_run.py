"""Reports of real runs: hostile text, a run that is killed and goes on, and folders that cannot be used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from attention_tests.engine.profiles import QUICK
from attention_tests.engine.verdict import Verdict
from attention_tests.environment import suite
from attention_tests.pytest_plugin.reports import configure
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.summary import Summary
from tests.reports.test_json import SCHEMA, strictly

HOSTILE = (
    "from attention_tests import Implementation\n"
    "from tests.support.reported import HOSTILE\n"
    "from tests.support.targets import forgets_the_scale\n"
    "def hostile(query, key, value):\n"
    "    if key.shape[-2] == 7:\n"
    "        raise ValueError(HOSTILE)\n"
    "    return forgets_the_scale(query, key, value)\n"
    "attention = Implementation(name='mine:attention', attention=hostile)\n"
)
TARGETS = ("mine:attention", "numpy")
SELECTED = ("--profile=quick", "--dtype=float32", "-k", "softmax or sum_to_one or every_element or wider or twice")
FILES = ("journal.jsonl", "junit.xml", "report.html", "report.json", "summary.md")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "attention_tests", *TARGETS, *SELECTED, "--no-isolate", *arguments]


def surroundings() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(suite.FOLDER), "COLUMNS": "120", "PYTEST_ADDOPTS": ""}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        command(*arguments), cwd=folder, env=surroundings(), capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    theirs = tmp_path_factory.mktemp("caller")
    (theirs / "mine.py").write_text(HOSTILE)
    return theirs


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "--report=reports")


@pytest.fixture(scope="module")
def reports(folder: Path, done: subprocess.CompletedProcess[str]) -> Path:
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return folder / "reports"


def report_of(reports: Path) -> dict[str, Any]:
    record: dict[str, Any] = strictly((reports / "report.json").read_text("utf-8"))
    return record


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    rows = [row | {"seconds": 0} for row in record["rows"]]
    # A worker asks once what several of its laws want to know, so that the calls depend on who decides which law.
    implementations = {name: one | {"asked": ""} for name, one in record["implementations"].items()}
    return record | {"written": "", "rows": rows, "implementations": implementations}


def cases(reports: Path) -> dict[str, list[str]]:
    root = ET.parse(reports / "junit.xml").getroot()  # noqa: S314 - we wrote it
    return {case.attrib["name"]: sorted(child.tag for child in case) for case in root.iter("testcase")}


def test_all_reports_are_written_and_none_is_partial(reports: Path, done: subprocess.CompletedProcess[str]) -> None:
    assert [file.name for file in sorted(reports.iterdir()) if file.is_file()] == sorted(FILES)
    assert str(reports / "report.html") in done.stdout


def test_a_real_report_follows_the_schema(reports: Path) -> None:
    record = report_of(reports)
    jsonschema.validate(record, SCHEMA)
    decided = {verdict for verdict, count in record["totals"].items() if count}
    assert decided == {"fail", "error", "pass", "unsupported", "not run"}
    assert record["exit"]["code"] == pytest.ExitCode.TESTS_FAILED
    assert record["implementations"]["numpy"]["libraries"].keys() == {"numpy"}


def test_the_text_of_an_implementation_is_in_every_report(reports: Path) -> None:
    for name in FILES:
        text = (reports / name).read_text("utf-8")
        assert "window.hostile" in text
        assert "\x1b" not in text
        assert "\x00" not in text
        assert len(text) < 2**21


def test_each_verdict_is_in_the_xml_with_what_was_measured(reports: Path) -> None:
    root = ET.parse(reports / "junit.xml").getroot()  # noqa: S314 - we wrote it
    said = Counter(
        (properties["verdict"], case[-1].tag)
        for case in root.iter("testcase")
        if (properties := {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")})
    )
    assert {tag for verdict, tag in said if verdict in ("fail", "error")} == {"failure"}
    assert {tag for verdict, tag in said if verdict == "unsupported"} == {"skipped"}
    assert {tag for verdict, tag in said if verdict == "pass"} == {"properties"}
    said_of_all = [(one.attrib["name"], one.attrib["value"]) for one in root.findall("testsuite/properties/property")]
    totals = {name: int(value) for name, value in said_of_all if name in {*Verdict}}
    assert totals == report_of(reports)["totals"]
    for verdict in ("fail", "error", "pass", "unsupported"):
        assert totals[verdict] == sum(count for (one, _), count in said.items() if one == verdict)


def test_each_reproducer_is_a_file_that_the_reports_name(reports: Path) -> None:
    named = {row["reproducer"] for row in report_of(reports)["rows"] if row["reproducer"]}
    assert named
    assert named == {f"reproducers/{file.name}" for file in (reports / "reproducers").iterdir()}
    for name in named:
        assert f'href="{name}"' in (reports / "report.html").read_text("utf-8")
        assert name in (reports / "summary.md").read_text("utf-8")


@pytest.fixture(scope="module")
def resumed(folder: Path, reports: Path) -> Path:
    """Kill a run of two workers once it has seen a failure, and go on with it."""
    killed = folder / "killed"
    journal = killed / "journal.jsonl"
    log = (folder / "killed.log").open("w")
    process = subprocess.Popen(  # noqa: S603
        command("--report=killed", "-n2"), cwd=folder, env=surroundings(), stdout=log, stderr=log
    )
    while process.poll() is None and not (journal.exists() and b'"verdict": "fail"' in journal.read_bytes()):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    log.close()
    decided = len(journal.read_bytes().splitlines()) - 1
    assert 0 < decided < sum(report_of(reports)["totals"].values()) - report_of(reports)["totals"]["not run"]
    assert not (killed / "report.json").exists()
    with journal.open("ab") as torn:
        torn.write(b'{"law": "test_x", "cla')
    again = run(folder, "--report=killed", "--resume", "-n2")
    assert again.returncode == pytest.ExitCode.TESTS_FAILED, again.stdout + again.stderr
    return killed


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(resumed: Path, reports: Path) -> None:
    assert timeless(report_of(resumed)) == timeless(report_of(reports))
    assert cases(resumed) == cases(reports)


def test_nothing_is_decided_twice(resumed: Path) -> None:
    rows = [json.loads(line) for line in (resumed / "journal.jsonl").read_text().splitlines()[1:]]
    keys = [(row["law"], row["implementation"], row["dtype"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_an_earlier_failure_ends_with_one_although_it_is_not_selected_now(folder: Path, resumed: Path) -> None:
    again = run(folder, f"--report={resumed}", "--resume", "-k", "softmax_normalises and numpy")
    assert again.returncode == pytest.ExitCode.TESTS_FAILED
    assert report_of(resumed)["totals"]["fail"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report=mine.py"], "is no folder that can be written"),
        (["--report=reports", "--resume", "--profile=default"], "had profile quick, and this one has default"),
    ],
)
def test_an_unusable_folder_is_refused_in_one_sentence(
    folder: Path, reports: Path, arguments: list[str], words: str
) -> None:
    before = sorted(file.name for file in reports.iterdir())
    done = run(folder, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (sentence,) = filter(None, (done.stdout + done.stderr).splitlines())
    assert words in sentence
    assert sorted(file.name for file in reports.iterdir()) == before


def test_a_run_is_not_resumed_with_a_changed_kernel(folder: Path, reports: Path) -> None:
    (folder / "mine.py").write_text(HOSTILE + "# mended\n")
    done = run(folder, f"--report={reports}", "--resume")
    (folder / "mine.py").write_text(HOSTILE)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "had source files of digest" in done.stdout + done.stderr


def test_a_run_without_reports_cannot_be_resumed() -> None:
    options = {"report": None, "resume": True}
    config = cast("pytest.Config", SimpleNamespace(getoption=options.get))
    verified = Run(QUICK)
    with pytest.raises(pytest.UsageError, match="name it with --report DIR"):
        configure(config, verified, Summary(verified))
