"""JUnit XML is written by pytest; what that cannot know is added: how many rows there are of each verdict."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.engine.verdict import Verdict
from attention_tests.reports import folder as files

OPTION = "--junit-xml"


def ask_for(config: pytest.Config, folder: Path) -> None:
    """Let pytest write the file into the folder of the reports, unless it was told to write it elsewhere."""
    asked = config.getoption(OPTION) or str(folder / files.JUNIT)
    # As pytest reads it, but settled before anything changes the working directory.
    config.option.xmlpath = str(Path(os.path.expandvars(asked)).expanduser().absolute())


def add_totals(config: pytest.Config, totals: Mapping[Verdict, int], diagnoses: Iterable[Diagnosis]) -> None:
    """Add the totals and the diagnoses to the file that pytest wrote, if it did, as properties of the whole."""
    file = Path(config.getoption(OPTION) or "")
    if not file.is_file():
        return
    root = ET.fromstring(file.read_bytes())  # noqa: S314 - pytest wrote it
    for suite in root.findall("testsuite"):
        properties = suite.find("properties")
        if properties is None:
            properties = ET.Element("properties")
            suite.insert(0, properties)
        for verdict, count in totals.items():
            ET.SubElement(properties, "property", name=verdict.value, value=str(count))
        for one in diagnoses:
            ET.SubElement(properties, "property", name="diagnosis", value=str(one))
    files.write(file, ET.tostring(root, encoding="utf-8", xml_declaration=True).decode("utf-8"))
