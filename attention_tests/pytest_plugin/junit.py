"""JUnit XML is written by pytest; what that cannot know is added: how many rows there are of each verdict."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from _pytest.junitxml import xml_key

from attention_tests.engine.verdict import Verdict


def add_totals(config: pytest.Config, totals: Mapping[Verdict, int]) -> None:
    """Write the file again, with the totals as properties of the whole."""
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for verdict, count in totals.items():
        xml.add_global_property(verdict.value, count)
    xml.pytest_sessionfinish()
