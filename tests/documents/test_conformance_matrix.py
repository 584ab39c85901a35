"""The matrix of libraries, made of small reports: its form, and that no verdict is lost or another's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from attention_tests.declare.features import Feature
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.measurements import ERROR_OVER_BOUND
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.json_report import json_text
from attention_tests.reports.report import Report
from benchmarks import conformance
from benchmarks.conformance import ABILITIES, BEGIN, END, by_library, main, page, with_table
from benchmarks.verified import Ran, all_verified, not_run
from reference.document import CLAUSES

MASKED, CAPPED, PLAIN = (
    next(law for law in all_laws() if law.features == features)
    for features in ((Feature.MASK,), (Feature.SOFTCAP,), ())
)
REASON = "masks are not broadcast: docs/findings/some-mask.md (https://example.org/1)"
Verdicts = Mapping[tuple[Law, str], Verdict]


def row(name: str, law: Law, dtype: str, verdict: Verdict) -> Row:
    return Row(
        law=law.name,
        clause=law.clause.id,
        implementation=name,
        dtype=dtype,
        precision=dtype,
        verdict=verdict,
        explanation=REASON if verdict is Verdict.EXPECTED_FAILURE else "",
        measured={ERROR_OVER_BOUND: 0.25} if verdict is Verdict.PASS else {},
        says=law.says,
        seconds=1.5,
    )


def ran(folder: Path, version: str, found: Mapping[str, Verdicts], missing: Iterable[str] = ()) -> Ran:
    """Write and read the report of one environment, in which every implementation is made with a library `lib`."""
    rows = [row(name, law, dtype, verdict) for name, own in found.items() for (law, dtype), verdict in own.items()]
    report = Report(
        rows=rows,
        exit_code=0,
        written="2026-11-23T15:39:09+00:00",
        asked={"targets": ["field"], "dtypes": [], "profile": "quick", "seed": None},
        profile=QUICK,
        versions={"attention-tests": "0.1.0", "python": "3.11.7"},
        environment={"cpu": "a processor"},
        libraries={name: {"lib": version, "numpy": "2.4.6"} for name in found},
        missing=list(missing),
    )
    folder.mkdir()
    (folder / "report.json").write_text(json_text(report), "utf-8")
    return Ran.read(folder)


def section(text: str, title: str) -> list[list[str]]:
    """Return the cells of the table in a section: its head first."""
    lines = text.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [table[0], *table[2:]]


def cells(text: str, title: str, name: str) -> dict[str, str]:
    head, *rows = section(text, title)
    (own,) = (line for line in rows if line[0].strip("`") == name)
    return dict(zip(head, own, strict=True))


@pytest.fixture(name="two")
def two_environments(tmp_path: Path) -> list[Ran]:
    good: Verdicts = {(MASKED, "float32"): Verdict.PASS, (CAPPED, "float32"): Verdict.UNSUPPORTED}
    mixed: Verdicts = {
        (MASKED, "float64"): Verdict.PASS,
        (MASKED, "float32"): Verdict.EXPECTED_FAILURE,
        (CAPPED, "float64"): Verdict.FAIL,
        (CAPPED, "float32"): Verdict.UNEXPECTED_PASS,
        (PLAIN, "float64"): Verdict.PASS,
        (PLAIN, "float32"): Verdict.PASS,
    }
    missing = ["mixed needs the package 'lib', which is not installed: pip install attention-tests[lib]"]
    gone = ["gone: while it was imported, its process was ended by SIGILL"]
    return [
        ran(tmp_path / "one", "1.0", {"good": good}, missing),
        ran(tmp_path / "other", "2.0", {"mixed": mixed}, gone),
    ]


def test_each_implementation_has_the_verdicts_of_its_own(two: list[Ran]) -> None:
    text = page(two)
    good, mixed = (cells(text, "Implementations", name) for name in ("good", "mixed"))
    assert (good["pass"], good["known"], good["broken"], good["unsupported"]) == ("1", "", "", "1")
    assert (mixed["pass"], mixed["known"], mixed["unsupported"]) == ("3", "1", "0")
    assert (good["made with"], mixed["made with"]) == ("lib 1.0", "lib 2.0")
    assert (good["dtypes"], mixed["dtypes"]) == ("float32", "float64, float32")
    assert (good["profile"], good["seconds"], mixed["seconds"]) == ("quick", "3", "9")
    assert good["error / bound"] == "0.25"


def test_failures_and_unexpected_passes_appear_in_every_table(two: list[Ran]) -> None:
    text = page(two)
    assert cells(text, "Implementations", "mixed")["broken"] == "**1 fail**, **1 unexpected pass**"
    # The worst of the dtypes speaks.
    assert cells(text, "Clauses", "mixed")[CAPPED.clause.id].startswith("**1 fail**")
    assert cells(text, "Features", "mixed")["softcap"] == "**1 fail**"
    assert "**1 fail**, **1 unexpected pass**" in by_library(all_verified(two))


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict not in conformance.QUIET])
def test_no_failure_is_left_out(verdict: Verdict, tmp_path: Path) -> None:
    text = page([ran(tmp_path / "one", "1", {"it": {(MASKED, "float32"): verdict, (PLAIN, "float32"): Verdict.PASS}})])
    assert cells(text, "Features", "it")["mask"] == f"**1 {verdict}**"
    assert cells(text, "Clauses", "it")[MASKED.clause.id] == f"**1 {verdict}**"
    assert cells(text, "Implementations", "it")["broken"] == f"**1 {verdict}**"


def test_an_implementation_that_was_left_out_of_a_run_was_not_verified_there(tmp_path: Path) -> None:
    left_out: Verdicts = {(MASKED, "float32"): Verdict.NOT_RUN, (PLAIN, "float32"): Verdict.NOT_RUN}
    report = ran(tmp_path / "one", "1", {"it": {(PLAIN, "float32"): Verdict.PASS}, "out": left_out})
    verified = all_verified([report])
    assert [one.name for one in verified] == ["it"]
    assert "out was left out of the environment one" in not_run([report], verified)


def test_an_undeclared_feature_is_neither_pass_nor_failure(two: list[Ran]) -> None:
    good = cells(page(two), "Features", "good")
    assert (good["mask"], good["softcap"], good["cache"]) == ("1", "–", "–")


def test_an_expected_failure_is_known_and_linked(two: list[Ran]) -> None:
    text = page(two)
    assert cells(text, "Features", "mixed")["mask"] == "1 known"
    assert cells(text, "Implementations", "mixed")["findings"] == "[some-mask](../findings/some-mask.md)"
    assert cells(text, "Implementations", "good")["findings"] == ""


def test_all_clauses_and_all_features_are_columns(two: list[Ran]) -> None:
    text = page(two)
    assert section(text, "Clauses")[0] == ["implementation", *CLAUSES]
    assert section(text, "Features")[0] == ["implementation", *ABILITIES]
    assert all(any(it in (*law.features, *law.steps) for law in all_laws()) for it in ABILITIES)


def test_verdicts_shared_by_reports_appear_once_and_others_name_the_environment(tmp_path: Path) -> None:
    passes, fails = ({(PLAIN, "float32"): verdict} for verdict in (Verdict.PASS, Verdict.FAIL))
    alike = [ran(tmp_path / name, "1.0", {"it": passes}) for name in ("a", "b")]
    assert [one.name for one in all_verified(alike)] == ["it"]
    older, failing = (ran(tmp_path / name, name, {"it": found}) for name, found in (("0.9", passes), ("1.0", fails)))
    assert [one.name for one in all_verified([*alike, older])] == ["it (a)", "it (0.9)"]
    assert [one.name for one in all_verified([*alike, failing])] == ["it (a)", "it (1.0)"]
    text = page([*alike, failing])
    assert cells(text, "Implementations", "it (a)")["broken"] == ""
    assert cells(text, "Implementations", "it (1.0)")["broken"] == "**1 fail**"


def test_implementations_that_ran_nowhere_are_listed_with_the_reason(two: list[Ran]) -> None:
    told = not_run(two, all_verified(two))
    assert "gone: while it was imported, its process was ended by SIGILL" in told
    assert "numpy was asked for in no environment" in told
    assert not any(sentence.startswith(("mixed", "good")) for sentence in told)
    assert "- gone: while it was imported" in page(two)


def test_libraries_are_summed_by_version(two: list[Ran]) -> None:
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in by_library(all_verified(two)).splitlines()
    ]
    assert [line[:2] for line in lines[2:]] == [["lib 1.0", "1"], ["lib 2.0", "1"]]


def test_the_oldest_versions_have_a_table_of_their_own(two: list[Ran]) -> None:
    text = page(two[1:], two[:1])
    assert [line[0] for line in section(text, "Oldest versions")[1:]] == ["lib 1.0"]
    assert [line[0] for line in section(text, "Implementations")[1:]] == ["`mixed`"]
    assert [line[0] for line in section(text, "Environments")[1:]] == ["other", "one"]


def test_the_table_goes_between_its_marks_and_nothing_else_changes() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(text, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert with_table(with_table(text, "new"), "new") == with_table(text, "new")
    with pytest.raises(ValueError, match="write both"):
        with_table("no marks", "new")


def test_the_command_writes_the_page_and_the_table(
    two: list[Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, readme = tmp_path / "page.md", tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n", "utf-8")
    monkeypatch.setattr(conformance, "PAGE", written)
    monkeypatch.setattr(conformance, "README", readme)
    assert main([str(tmp_path / "one"), str(tmp_path / "other" / "report.json")]) == 0
    assert written.read_text("utf-8") == page(two)
    assert "| lib 2.0" in readme.read_text("utf-8")


def test_an_infinite_measurement_is_read_back(tmp_path: Path) -> None:
    told = ran(tmp_path / "one", "1", {"it": {(PLAIN, "float32"): Verdict.PASS}})
    measured = {"measured": {ERROR_OVER_BOUND: "inf"}}
    infinite = replace(told, told={**told.told, "rows": [told.told["rows"][0] | measured]})
    assert cells(page([infinite]), "Implementations", "it")["error / bound"] == "inf"
