from __future__ import annotations

from attention_tests.engine.catalogue import all_laws
from attention_tests.environment.suite import FOLDER
from tests.defects import DEFECTS
from tests.documents import catalogue, command_line, findings

COLUMNS = len(catalogue.STATIC)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_document_of_properties_is_that_of_the_code() -> None:
    assert catalogue.PROPERTIES.read_text("utf-8") == catalogue.properties(), "run: make docs"


def test_the_document_of_defects_has_those_of_the_code() -> None:
    rows = map(cells, catalogue.FOUND.read_text("utf-8").splitlines())
    described = [row[:COLUMNS] for row in rows if len(row) > COLUMNS]
    headers, _, *defects = described
    assert headers == list(catalogue.STATIC)
    assert defects == [catalogue.static(defect) for defect in DEFECTS], "run: make docs"


def test_the_document_of_defects_has_the_laws_of_the_code() -> None:
    text = catalogue.FOUND.read_text("utf-8")
    assert not [law.name for law in all_laws() if f"| `{law.name}`" not in text], "run: make docs"


def test_the_index_of_findings_has_all() -> None:
    assert findings.INDEX.read_text("utf-8") == findings.index(), "run: python -m tests.documents.findings"


def test_the_readme_counts_the_findings() -> None:
    assert f"\n{len(findings.files())} defects in released libraries" in (FOLDER / "README.md").read_text("utf-8")


def test_the_readme_counts_the_planted_defects() -> None:
    all_of_them = f"{len(DEFECTS)}, {len(DEFECTS)}"
    row = f"| planted defects, and those killed by the law that they name, at every dtype | {all_of_them} |"
    assert row in (FOLDER / "README.md").read_text("utf-8")


def test_the_reference_of_the_command_line_has_the_options_of_the_code() -> None:
    assert command_line.PAGE.read_text("utf-8") == command_line.page(), "run: python -m tests.documents.command_line"


def test_the_law_that_is_followed_through_the_suite_is_that_of_the_code() -> None:
    page = (FOLDER / "docs" / "explanation" / "one-law.md").read_text("utf-8")
    stream, law = page.partition("```python\n")[2].partition("```")[0].strip().split("\n\n\n")
    source = (FOLDER / "properties" / "test_masks.py").read_text("utf-8")
    assert stream in source
    assert law in source
