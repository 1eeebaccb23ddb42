"""The report page in a browser: offline, by mouse and keyboard, on a telephone, in the dark and on paper."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from experiments import Made
from playwright.sync_api import Browser, Page, expect

from dawnchorus.config.params import Params
from dawnchorus.reporting.report.data_tables import NOTHING
from dawnchorus.reporting.report.page import render, sections

Scheme = Literal["light", "dark"]
# Contrast of text that the Web Content Accessibility Guidelines ask for (level AA).
LEAST_CONTRAST = 4.5
CONTRAST = """
element => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(element);
  const ink = light(element instanceof SVGElement ? style.fill : style.color);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}
"""


@pytest.fixture(scope="module")
def report(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of an experiment that has something for each section."""
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.html"
    content = sections(Made.with_more_species().read(folder, params), params)
    path.write_text(render(content | {"examples": []}), encoding="utf-8")
    return path


Open = Callable[..., Page]


@pytest.fixture
def show(browser: Browser, report: Path) -> Iterator[Open]:
    """A function that opens the page from disk; at the end, nothing has gone wrong and nothing was fetched."""
    complaints: list[str] = []
    pages = []

    def show(width: int = 1280, scheme: Scheme = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url != report.as_uri() else None)
        page.goto(report.as_uri())
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.context.close()
    assert [each for each in complaints if not each.startswith("data:")] == []


def first_column(page: Page) -> list[str]:
    """The names in the table of species, from top to bottom, as they are shown."""
    rows = page.locator("#species-table tbody tr:visible th span:first-child")
    return [text.strip() for text in rows.all_inner_texts()]


def heading(page: Page, title: str) -> tuple[str | None, list[str]]:
    """How a column of the table of species is sorted, and its cells."""
    cell = page.locator("#species-table thead th").filter(has=page.get_by_role("button", name=title, exact=True))
    number = int(cell.evaluate("each => each.cellIndex"))
    cells = page.locator(f"#species-table tbody tr > :nth-child({number + 1}) > span").all_inner_texts()
    return cell.get_attribute("aria-sort"), [text.strip() for text in cells]


def test_tables_sort_by_mouse_with_what_is_unknown_last(show: Open) -> None:
    page = show()
    before = first_column(page)
    button = page.locator("#species-table").get_by_role("button", name="Average precision")
    assert heading(page, "Average precision")[0] is None
    button.click()
    order, cells = heading(page, "Average precision")
    assert order == "descending"
    assert cells == ["0.75"] * 4 + ["0.50"] * 3 + [NOTHING] * 3
    button.click()
    assert heading(page, "Average precision") == ("ascending", ["0.50"] * 3 + ["0.75"] * 4 + [NOTHING] * 3)
    page.locator("#species-table").get_by_role("button", name="Species").click()
    assert heading(page, "Average precision")[0] is None
    assert first_column(page) == sorted(before, key=str.lower)


def test_tables_sort_and_filter_by_keyboard_and_tell_the_count(show: Open) -> None:
    page = show()
    page.get_by_label("Filter").first.focus()
    page.keyboard.type("SPECIES 1")
    assert first_column(page) == ["species 1"]
    status = page.locator("#quality .filter").first.get_by_role("status")
    expect(status).to_have_text("1 of 10 rows")
    for _ in range(9):
        page.keyboard.press("Backspace")
    expect(status).to_have_text("10 of 10 rows")
    # The table fits, so it is no stop itself.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Species"
    page.keyboard.press("Enter")
    assert heading(page, "Species")[0] == "ascending"
    page.keyboard.press("Space")
    assert heading(page, "Species")[0] == "descending"


def test_the_keyboard_can_skip_to_the_content(show: Open) -> None:
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(show: Open, width: int) -> None:
    page = show(width)
    for details in page.locator("details").all():
        details.evaluate("each => each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # What is wider scrolls by itself. Only that is a stop for the keyboard.
    page.wait_for_function(
        "[...document.querySelectorAll('.scroll')]"
        ".every(box => (box.scrollWidth > box.clientWidth) === (box.tabIndex === 0))"
    )
    found = page.locator(".scroll").evaluate_all(
        "each => each.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex, box.getAttribute('role')])"
    )
    assert all(each in ([True, 0, "region"], [False, -1, None]) for each in found)
    assert width == 1280 or any(scrolls for scrolls, _, _ in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(show: Open, scheme: Scheme) -> None:
    page = show(scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (scheme == "dark")
    for what in ("h1", ".kind", "nav a", "figcaption", ".important .tag", "thead small", ".chart text"):
        assert page.locator(what).first.evaluate(CONTRAST) >= LEAST_CONTRAST, what


def test_it_prints_in_black_on_white_with_the_details_of_warnings(show: Open) -> None:
    page = show(scheme="dark")
    folded = page.locator(".remarks details:not([open])")
    assert folded.count() == 2
    page.evaluate(
        "addEventListener('beforeprint', () => {"
        "  window.folded = document.querySelectorAll('.remarks details:not([open])').length"
        "})"
    )
    assert page.pdf().startswith(b"%PDF")
    assert page.evaluate("window.folded") == 0
    assert folded.count() == 2
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    heading = page.locator("#species-table thead th").nth(1)
    assert heading.locator(".heading").is_visible()
    assert not heading.get_by_role("button").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_without_scripts_everything_is_there_but_sorting(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#species-table tbody tr").count() == 10
    assert page.locator("#species-table button").count() == 0
    context.close()
