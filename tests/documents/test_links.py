"""Every page and every heading that code or a document refers to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attention_tests.environment.suite import FOLDER

SOURCES = [
    file
    for folder in ("attention_tests", "benchmarks", "implementations", "properties", "reference")
    for kind in ("*.py", "*.toml", "*.jinja")
    for file in (FOLDER / folder).rglob(kind)
]
PAGES = [
    *(FOLDER / "docs").rglob("*.md"),
    *(FOLDER / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
]
IN_CODE = re.compile(r"(?<!/)\bdocs/[\w./-]+\.md(?:#[\w-]+)?")
IN_A_PAGE = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(file: Path, base: Path, reference: str) -> bool:
    place, _, anchor = reference.partition("#")
    page = base / place if place else file
    return not page.exists() or bool(anchor and anchor not in anchors(page))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_what_code_refers_to_exists(file: Path) -> None:
    found = IN_CODE.findall(file.read_text("utf-8"))
    assert not [reference for reference in found if missing(file, FOLDER, reference)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(FOLDER)))
def test_what_a_page_links_to_exists(page: Path) -> None:
    found = [one for one in IN_A_PAGE.findall(page.read_text("utf-8")) if not ELSEWHERE.match(one)]
    assert not [reference for reference in found if missing(page, page.parent, reference)]


def test_a_heading_that_is_not_there_is_missing() -> None:
    assert missing(FOLDER / "README.md", FOLDER, "docs/explanation/tolerance.md#no-such-heading")
    assert missing(FOLDER / "README.md", FOLDER, "docs/no-such-page.md")
    assert not missing(FOLDER / "README.md", FOLDER, "docs/explanation/tolerance.md#the-amplifier")
