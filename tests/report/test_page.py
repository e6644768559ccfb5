"""The report in a real browser: answers on the first screen, offline, on a desk and on a phone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.report.renderers.html import render_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser of the machine."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found is not None, "this test needs chromium: run `make browser`, or install it (apt-get install chromium)"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture(scope="module")
def page_file(planned: tuple[Plan, Portfolio], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the starter plan on disk."""
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_report(*planned, (), "0.0.0"), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_the_first_screen_answers(browser: Browser, page_file: Path, width: int, height: int) -> None:
    """What to sign, cost, gap and risk show without scrolling; nothing is fetched, logged or cut off."""
    page = browser.new_page(viewport={"width": width, "height": height})
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.as_uri())
    for words in ("Expected cost", "unmet", "Sign", "What could go wrong"):
        box = page.get_by_text(words).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, f"{words!r} is below the fold"
    assert asked == [page_file.as_uri()]
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_every_chart_has_a_table_that_can_be_copied(browser: Browser, page_file: Path) -> None:
    """Charts are drawn; their tables open; the button copies the table with tabs."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(page_file.as_uri())
    figures = page.locator("figure")
    assert figures.count() >= 6
    for i in range(figures.count()):
        figure = figures.nth(i)
        box = figure.locator("svg").first.bounding_box()
        assert box is not None
        assert box["width"] > 300
        figure.locator("summary").click()
        assert figure.locator("tbody tr").count() > 0
    figures.first.locator("button").click()
    page.wait_for_function("document.querySelector('figure button').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.count("\n") == figures.first.locator("tbody tr").count()
    assert "\t" in copied
    context.close()


def test_names_are_escaped(planned: tuple[Plan, Portfolio]) -> None:
    """A portfolio's texts cannot become markup."""
    plan, portfolio = planned
    html = render_report(replace(plan, portfolio_name="<script>alert(1)</script>"), portfolio, (), "0.0.0")
    assert "<script>alert(1)" not in html
