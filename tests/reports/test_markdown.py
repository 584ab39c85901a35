from __future__ import annotations

import re
from dataclasses import replace

import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.reports.markdown import LIMIT, _fenced, markdown
from attention_tests.reports.tables import PROMISES
from tests.support import reported

TEXT = markdown(reported.report())


def test_every_verdict_is_counted() -> None:
    for verdict, count in reported.report().totals.items():
        assert f"| {verdict} | {count} |" in TEXT


def test_every_failure_is_included() -> None:
    told = [row for row in reported.rows() if row.verdict is Verdict.FAIL]
    assert TEXT.count(": **fail**, 5.3e+12 times its bound, reproducer [reproducers/") == len(told)


def test_every_row_of_a_table_has_its_cells() -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", re.sub(r"(?ms)^(`{3,})text$.*?^\1$", "", TEXT), re.MULTILINE)
    assert len(tables) == 5
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_text_of_an_implementation_is_not_read_as_markup() -> None:
    outside = re.sub(r"(?ms)^(`{3,})text$.*?^\1$", "", TEXT)
    assert "window.hostile" in outside
    assert not re.search(r"(?<!\\)<(script|img)", outside)


@pytest.mark.parametrize("text", ["plain", "```", "a ```` b", "`````\n```"])
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    first, *inside, last = _fenced(text).splitlines()
    assert first == f"{last}text"
    assert "\n".join(inside) == text
    assert last not in text


def test_a_summary_stays_under_the_limit_and_says_what_it_omits() -> None:
    large = replace(reported.report(), rows=[replace(row, explanation="x" * 100_000) for row in reported.rows()])
    text = markdown(large)
    assert len(text.encode()) < LIMIT
    assert re.search(r"\d+ more parts of this summary are in report.html", text)
    assert "more parts" not in TEXT


def test_details_are_collapsed() -> None:
    folded = re.findall(r"^<details><summary><b>(.*)</b></summary>$", TEXT, re.MULTILINE)
    assert folded == [
        "What was found out about mykernels.flash:attention",
        "Not declared",
        "Known failures",
        "Unsupported",
        "The document's claims",
        "Not installed",
        "Machine",
        "Versions",
    ]
    assert "\n- answers float32 in the layout (length, width)\n" in TEXT
    assert "\n- numpy does not declare \\`causal\\`, and answers a call with \\`causal\\`, wrongly\n" in TEXT
    assert "\n- numpy 2.4.6\n" in TEXT
    assert "\n- torch needs the package 'torch', which is not installed\n" in TEXT


def test_tables_have_headers() -> None:
    assert "| verdict | times |\n|" in TEXT
    assert f"| {' | '.join(PROMISES)} |\n|" in TEXT


def test_a_run_without_failures_has_no_heading_for_them() -> None:
    assert "## What is wrong" in TEXT
    assert "## What is wrong" not in markdown(reported.all_passing())


def test_a_run_that_decided_nothing_has_a_summary() -> None:
    assert markdown(reported.empty()).startswith("# attention-tests: the run was interrupted\n")
