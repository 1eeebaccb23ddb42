"""The sounds of the report in a browser, opened from disk without a network: they play, and cursors follow."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined
from listening import made_experiment
from playwright.sync_api import Browser, Page, expect

from dawnchorus.config.params import Params
from dawnchorus.reporting.report.examples import look_and_listen
from dawnchorus.reporting.report.page import PACKAGE


@pytest.fixture(scope="module")
def section(params: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the section alone."""
    folder = tmp_path_factory.mktemp("section")
    environment = Environment(loader=PackageLoader(PACKAGE), autoescape=True, undefined=StrictUndefined)
    template = environment.get_template("examples.html.j2")
    html = template.render(examples=look_and_listen(made_experiment(folder, params)))
    styles, script = (
        "".join(files(PACKAGE).joinpath("templates", f"{name}.{kind}").read_text() for name in ("page", "examples"))
        for kind in ("css", "js")
    )
    path = folder / "section.html"
    path.write_text(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>x</title><link rel=icon href=data:,>"
        f"<style>{styles}</style></head><body>{html}<script>{script}</script></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def page(browser: Browser, section: Path) -> Iterator[Page]:
    """The page; at the end, nothing has gone wrong and nothing was fetched."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(section.as_uri())
    yield page
    context.close()
    assert [each for each in complaints if not each.startswith("data:") and each != section.as_uri()] == []


def time_of(page: Page, number: int = 0) -> float:
    return float(page.evaluate(f"document.querySelectorAll('audio')[{number}].currentTime"))


def cursor_of(page: Page) -> float:
    """Where the first cursor is, as a fraction of the picture's width."""
    style = page.locator(".ex-cursor").first.evaluate("each => each.style.left")
    return float(style.rstrip("%")) / 100


def test_a_sound_plays_and_its_cursor_follows(page: Page) -> None:
    button = page.get_by_role("button", name="Play <Owl>, wrong")
    # A sound is decoded only when it is wanted.
    assert page.evaluate("document.querySelector('audio').readyState") == 0
    button.click()
    page.wait_for_function("document.querySelector('audio').currentTime > 0.4")
    assert page.evaluate("document.querySelector('audio').error") is None
    # The window of 3 s, with half a second at both ends.
    assert page.evaluate("document.querySelector('audio').duration") == pytest.approx(4, abs=0.05)
    first = cursor_of(page)
    page.wait_for_function("document.querySelector('audio').currentTime > 0.8")
    assert 0.05 < first < cursor_of(page)
    page.get_by_role("button", name="Pause <Owl>, wrong").click()
    page.wait_for_timeout(100)
    stopped = time_of(page)
    page.wait_for_timeout(200)
    assert time_of(page) == stopped
    assert cursor_of(page) == pytest.approx(stopped / 4, abs=0.01)


def test_one_sound_plays_at_a_time_and_ends_by_itself(page: Page) -> None:
    buttons = page.locator(".ex-play")
    buttons.nth(0).click()
    page.wait_for_function("document.querySelectorAll('audio')[0].currentTime > 0.1")
    buttons.nth(1).click()
    page.wait_for_function("document.querySelectorAll('audio')[1].currentTime > 0.1")
    assert page.evaluate("document.querySelectorAll('audio')[0].paused")
    page.evaluate("document.querySelectorAll('audio')[1].currentTime = 3.7")
    page.wait_for_function("document.querySelectorAll('audio')[1].ended")
    expect(buttons.nth(1)).to_have_accessible_name("Play <Owl>, right")


def test_a_click_on_the_picture_moves_the_cursor(page: Page) -> None:
    picture = page.locator(".ex-picture").first
    box = picture.bounding_box()
    assert box is not None
    picture.click(position={"x": box["width"] * 0.75, "y": 20})
    assert cursor_of(page) == pytest.approx(0.75, abs=0.01)
    page.locator(".ex-play").first.click()
    page.wait_for_function("document.querySelector('audio').currentTime > 3.05")


def test_the_keyboard_plays_and_seeks(page: Page) -> None:
    page.locator(".ex-play").first.focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('audio').paused")
    page.keyboard.press("Tab")
    slider = page.get_by_role("slider").first
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert cursor_of(page) == pytest.approx(0.5 / 4, abs=0.01)
    # The clip starts at 4 s.
    assert slider.get_attribute("aria-valuetext") == "4.5 s in the recording"


def test_species_and_kinds_are_filtered(page: Page) -> None:
    cards, status = page.locator(".ex-card"), page.locator(".ex-filter output")
    assert status.inner_text() == f"{cards.count()} of {cards.count()} sounds"
    for kind in ("Right", "Missed", "Nearest to the threshold"):
        page.get_by_label(kind, exact=True).uncheck()
    assert page.locator(".ex-card:visible .ex-kind").all_inner_texts() == ["Wrong"]
    assert status.inner_text() == f"1 of {cards.count()} sounds"
    page.get_by_label("Species").select_option("y")
    assert page.locator(".ex-group:visible h3").all_inner_texts() == ["y"]
    assert status.inner_text() == f"0 of {cards.count()} sounds"


@pytest.mark.parametrize("width", [1280, 390])
def test_pictures_and_boxes_fit_and_have_texts(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    pictures = page.locator(".ex-picture img")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("each => each.complete && each.naturalWidth > 0", arg=picture.element_handle())
        assert (picture.get_attribute("alt") or "").startswith("Spectrogram from ")
    # The label at 1 to 2 s of a clip of 3.5 s from the start of the recording on.
    card = page.locator(".ex-card").filter(has_text="it is not <Owl>")
    image, box = card.locator("img").bounding_box(), card.locator(".ex-absent").bounding_box()
    assert image is not None
    assert box is not None
    assert (box["x"] - image["x"]) / image["width"] == pytest.approx(1 / 3.5, abs=0.01)
    assert box["width"] / image["width"] == pytest.approx(1 / 3.5, abs=0.01)


def test_on_paper_there_are_no_players(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator(".ex-player:visible, .ex-filter:visible").count() == 0
    assert page.locator(".ex-picture:visible").count() > 0


def test_without_scripts_the_browser_has_players_of_its_own(browser: Browser, section: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(section.as_uri())
    assert page.locator("audio[controls]:visible").count() > 0
    assert page.locator(".ex-play:visible, .ex-filter:visible").count() == 0
    context.close()
