from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from attention_tests.engine.verdict import Verdict
from attention_tests.reports.json_report import json_text, plain
from attention_tests.reports.report import Report
from tests.support import reported

SCHEMA = json.loads(files("attention_tests.reports").joinpath("report.schema.json").read_text("utf-8"))


def is_valid(record: object) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(record))


def strictly(text: str) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("report", [reported.report(), reported.all_passing(), reported.empty()])
def test_a_report_follows_the_schema(report: Report) -> None:
    jsonschema.validate(strictly(json_text(report)), SCHEMA)


def test_every_verdict_is_included_and_counted() -> None:
    record = plain(reported.report())
    assert list(record["totals"]) == [verdict.value for verdict in Verdict]
    assert all(record["totals"].values())
    for verdict, count in record["totals"].items():
        assert count == sum(row["verdict"] == verdict for row in record["rows"])


def test_what_was_found_out_and_what_is_not_declared_are_included() -> None:
    told = reported.report()
    record = plain(told)
    found = {name: one["found_out"] for name, one in record["implementations"].items()}
    assert found == {name: list(told.found_out.get(name, ())) for name in reported.NAMES}
    assert any(found.values())
    assert record["undeclared"] == list(told.undeclared) != []


def test_a_number_that_was_measured_is_one() -> None:
    rows = strictly(json_text(reported.report()))["rows"]
    passed = [row["measured"] for row in rows if row["verdict"] == "pass"]
    assert passed == [reported.MEASURED[Verdict.PASS]] * len(passed)
    assert [type(value) for value in passed[0].values()] == [float, float, str]


def test_nan_and_infinity_are_written_as_words() -> None:
    rows = strictly(json_text(reported.report()))["rows"]
    assert {row["measured"]["error over bound, outside"] for row in rows if row["verdict"] == "crash"} == {"inf"}


def test_any_parser_reads_the_text_of_an_implementation() -> None:
    text = json_text(reported.report())
    assert text.isascii()
    assert [row["explanation"] for row in strictly(text)["rows"]] == [row.explanation for row in reported.rows()]


def without_totals(record: dict[str, Any]) -> None:
    del record["totals"]


def with_another_verdict(record: dict[str, Any]) -> None:
    record["rows"][0]["verdict"] = "maybe"


def with_another_total(record: dict[str, Any]) -> None:
    record["totals"]["maybe"] = 1


def with_a_way_out(record: dict[str, Any]) -> None:
    record["rows"][0]["reproducer"] = "../elsewhere.py"


@pytest.mark.parametrize("spoil", [without_totals, with_another_verdict, with_another_total, with_a_way_out])
def test_the_schema_refuses_invalid_reports(spoil: Callable[[dict[str, Any]], None]) -> None:
    record = copy.deepcopy(plain(reported.report()))
    assert is_valid(record)
    spoil(record)
    assert not is_valid(record)
