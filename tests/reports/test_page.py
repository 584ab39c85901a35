from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from markupsafe import escape
from playwright.sync_api import Browser, Page, sync_playwright

from attention_tests.engine.verdict import Verdict
from attention_tests.reports.html import LONGEST_SCRIPT, html
from attention_tests.reports.picture import pictures as pictured
from reference.document import CLAUSES
from tests.support import reported

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, DESK = 360, 1280
FOCUSABLE = "a[href], summary, [tabindex='0']"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("reports") / "report.html"
    written.write_text(html(reported.report()), "utf-8")
    return written


@pytest.fixture(params=[(PHONE, "dark"), (DESK, "light")], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Page]:
    width, scheme = request.param
    yield from opened(browser, file, width, scheme)


@pytest.fixture
def phone(browser: Browser, file: Path) -> Iterator[Page]:
    yield from opened(browser, file, PHONE, "light")


def opened(browser: Browser, file: Path, width: int, scheme: Any) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    yield page
    page.close()


def test_what_was_found_out_and_what_is_not_declared_are_shown(phone: Page) -> None:
    text = phone.inner_text("body")
    told = reported.report()
    for line in [*told.undeclared, *(line for lines in told.found_out.values() for line in lines)]:
        assert line in text


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def violations(page: Page, rules: list[str] | None = None) -> set[str]:
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    return {violation["id"] for violation in Axe().run(page, options=options).response["violations"]}


def test_the_page_never_scrolls_sideways(page: Page) -> None:
    assert not overflows(page)
    page.add_style_tag(content="h1 { width: 200vw }")
    assert overflows(page)


def test_no_rule_of_accessibility_is_broken(page: Page) -> None:
    assert not violations(page)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ("document.body.style.color = '#999'", "color-contrast"),
        ("document.querySelector('svg').ariaLabel = '', document.querySelector('svg title').remove()", "svg-img-alt"),
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.querySelector('main').outerHTML = '<h5>x</h5>'", "heading-order"),
    ],
)
def test_a_broken_rule_of_accessibility_is_seen(phone: Page, spoil: str, rule: str) -> None:
    phone.evaluate(spoil)
    assert violations(phone, [rule]) == {rule}


def test_the_keyboard_reaches_everything(phone: Page) -> None:
    phone.evaluate(f'document.querySelectorAll("{FOCUSABLE}").forEach((element, i) => element.dataset.number = i)')
    count = phone.locator(FOCUSABLE).count()
    reached = []
    for _ in range(count):
        phone.keyboard.press("Tab")
        reached.append(int(phone.evaluate("document.activeElement.dataset.number ?? -1")))
    assert reached == list(range(count))


def test_the_focus_is_visible(phone: Page) -> None:
    for selector in ("a", "summary", "pre"):
        phone.locator(selector).first.focus()
        phone.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert phone.evaluate(outline) == "solid"


def test_the_first_link_leads_past_the_header(phone: Page) -> None:
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.textContent") == "Skip to the verdicts"
    phone.keyboard.press("Enter")
    assert phone.url.endswith("#main")


def test_whatever_scrolls_can_be_scrolled_by_keyboard_and_has_a_name(phone: Page) -> None:
    unreached = """[...document.querySelectorAll('body *')].filter(element =>
        getComputedStyle(element).overflowX === 'auto' && (element.tabIndex !== 0
        || !(element.ariaLabel || document.getElementById(element.getAttribute('aria-labelledby')))))"""
    assert phone.evaluate(f"{unreached}.length") == 0
    phone.evaluate("document.querySelector('pre').removeAttribute('tabindex')")
    assert phone.evaluate(f"{unreached}.length") == 1


def test_table_cells_have_headers(phone: Page) -> None:
    assert phone.locator("table").count() > 8
    assert phone.locator("table:not(:has(caption))").count() == 0
    assert phone.locator("th:not([scope])").count() == 0
    assert phone.locator("tbody tr:not(:has(th[scope=row]))").count() == 0


def test_a_picture_has_a_text_alternative(phone: Page) -> None:
    pictures = phone.get_by_role("img")
    assert pictures.count() == sum(len(picture.strips) for picture in pictured(reported.rows()))
    words = "".join(picture.get_attribute("aria-label") or "" for picture in pictures.all())
    assert "The largest error is 5.3e+12 times its bound, seen by test_" in words


def test_a_verdict_is_a_word_and_not_a_colour_alone(phone: Page) -> None:
    said = {text.split()[-1] for text in phone.locator(".verdict").all_text_contents()}
    assert said == {verdict.value.split()[-1] for verdict in Verdict}


def test_the_page_fetches_nothing_and_runs_no_script(browser: Browser, file: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri(), wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert page.evaluate("window.hostile === undefined")
    assert page.locator("script").count() == page.locator("img").count() == 0
    assert not said
    page.close()


def test_the_text_of_an_implementation_is_readable(phone: Page) -> None:
    said = "".join(phone.locator("pre").all_text_contents())
    assert reported.MARKUP in said
    assert "\\x00\\x1b[31m" in said


def test_text_of_an_implementation_is_not_read_as_markup() -> None:
    page = html(reported.report())
    assert str(escape(reported.MARKUP)) in page
    assert reported.MARKUP not in page


def test_each_dtype_has_a_table_of_its_own_verdicts() -> None:
    clause = CLAUSES["softmax"].id
    told = [
        reported.row("a law", clause, "mine", dtype, verdict)
        for dtype, verdict in (("float64", Verdict.PASS), ("float32", Verdict.FAIL))
    ]
    page = html(replace(reported.empty(), rows=told))
    counted = {
        dtype: [verdict for verdict in ("pass", "fail") if f">1 {verdict}<" in table]
        for dtype, table in re.findall(r'<caption id="by-clause-(\w*)">(.*?)</table>', page, re.DOTALL)
    }
    assert counted == {"": ["fail"], "float64": ["pass"], "float32": ["fail"]}


def test_a_failure_is_listed_with_its_largest_error() -> None:
    (failed,) = (row for row in reported.rows()[:9] if row.verdict is Verdict.FAIL and row.dtype == "float64")
    assert " · error up to 5.3e+12 times its bound<" in html(replace(reported.empty(), rows=[failed]))
    assert "error up to" not in html(replace(reported.empty(), rows=[replace(failed, measured={})]))


def test_every_verdict_is_counted() -> None:
    page = html(reported.report())
    for verdict, count in reported.report().totals.items():
        assert f'{verdict.value.replace(" ", "-")}">{count} {verdict.value}</span></li>' in page


def test_each_failure_is_shown_with_its_reproducer() -> None:
    page = html(reported.report())
    for place in reported.report().reproducers.values():
        assert f'<a href="{place}">' in page
    assert page.count("import numpy as np\n</pre>") == len(reported.report().reproducers)


@pytest.mark.parametrize(("length", "shown"), [(LONGEST_SCRIPT, True), (LONGEST_SCRIPT + 1, False)])
def test_a_reproducer_that_is_too_long_is_only_a_link(length: int, shown: bool) -> None:  # noqa: FBT001
    report = reported.report()
    rows = [replace(row, reproducer=row.reproducer and "#" * length) for row in report.rows]
    page = html(replace(report, rows=rows))
    assert ("#" * length in page) == shown
    assert all(f'<a href="{place}">' in page for place in report.reproducers.values())


def test_a_run_without_failures_has_no_heading_for_them() -> None:
    assert 'id="wrong"' in html(reported.report())
    assert 'id="wrong"' not in html(reported.all_passing())


def test_a_run_that_decided_nothing_has_a_page() -> None:
    assert "<h1>attention-tests: the run was interrupted</h1>" in html(reported.empty())
