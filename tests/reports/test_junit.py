"""The totals of a run stand in the JUnit XML that pytest wrote, wherever it was told to write it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast
from xml.etree import ElementTree as ET

import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.pytest_plugin.junit import add_totals, ask_for

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
WRITTEN = DECLARATION + '<testsuites><testsuite name="é">{}<testcase name="a"/></testsuite></testsuites>'
THEIRS = '<properties><property name="theirs" value="1"/></properties>'
TOTALS = {Verdict.PASS: 3, Verdict.FAIL: 0}


def config_of(xmlpath: str | None) -> pytest.Config:
    option = SimpleNamespace(xmlpath=xmlpath)
    return cast("pytest.Config", SimpleNamespace(option=option, getoption=lambda _: option.xmlpath))


@pytest.mark.parametrize(
    ("asked", "place"),
    [(None, "reports/junit.xml"), ("elsewhere.xml", "elsewhere.xml"), ("~/a.xml", "a.xml"), ("$THERE/b.xml", "b.xml")],
)
def test_the_file_is_in_the_folder_of_the_reports_unless_it_is_asked_for_elsewhere(
    asked: str | None, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("THERE", str(tmp_path))
    config = config_of(asked)
    ask_for(config, tmp_path / "reports")
    assert Path(config.option.xmlpath) == tmp_path / place


@pytest.mark.parametrize("theirs", ["", THEIRS], ids=["alone", "with properties of somebody else"])
def test_totals_are_added_to_the_existing_file(theirs: str, tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text(WRITTEN.format(theirs), "utf-8")
    add_totals(config_of(str(file)), TOTALS, ())
    (suite,) = ET.fromstring(file.read_bytes())  # noqa: S314 - we wrote it
    assert suite.attrib == {"name": "é"}
    assert [child.tag for child in suite] == ["properties", "testcase"]
    found = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert found == {**({"theirs": "1"} if theirs else {}), "pass": "3", "fail": "0"}


@pytest.mark.parametrize("asked", [None, "never-written.xml"])
def test_where_pytest_wrote_none_none_is_written(
    asked: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    add_totals(config_of(asked), TOTALS, ())
    assert not list(tmp_path.iterdir())
