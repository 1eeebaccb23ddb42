"""The page in headless Chromium, driven by keyboard: no answer is lost, and each key does what the help states."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browsers import Reviewer
from playwright.sync_api import Browser
from reviews import RATE, Server, journal, make_review
from scipy.fft import rfft
from scipy.signal.windows import hann

from dawnchorus.review.session import read_session

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("project")
    make_review(path, 10_000)
    return path


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Server]:
    found = Server.start(project)
    yield found
    found.kill()


def of_reviewer(project: Path, name: str) -> list[tuple[int, str]]:
    return [(line["item"], line["answer"]) for line in journal(project) if line["reviewer"] == name]


def test_a_hundred_answers_by_keyboard_with_a_killed_server_in_between(
    browser: Browser, server: Server, project: Path
) -> None:
    anna = Reviewer(browser, server.url, "Anna")
    expected: list[tuple[int, str]] = []
    verdicts = {"p": "present", "a": "absent", "u": "unsure", "ArrowUp": "present", "ArrowDown": "absent"}
    keys = list(verdicts)
    # One of them is taken back, and answered again.
    for number in range(101):
        if number == 40:
            # The reviewer presses a key while no server runs.
            server.kill()
            before = anna.item
            anna.press("p")
            anna.wait_for_text("#problem", "Not saved yet")
            assert anna.item == before
            server.start_again()
            anna.wait_for_clip(before)
            anna.page.wait_for_selector("#problem", state="hidden")
            expected.append((before, "present"))
            continue
        if number == 60:
            undone = expected[-1][0]
            anna.go("z")
            assert anna.item == undone
            expected.append((undone, "undone"))
        key = keys[number % len(keys)]
        expected.append((anna.go(key), verdicts[key]))
    assert of_reviewer(project, "Anna") == expected
    assert anna.text("#progress-text") == "100 of 10000"
    # Nothing that was taken back counts, and nothing else is missing.
    answers = {one.item: one.answer for one in read_session(str(project / "review/one")).answers()}
    assert answers == dict(expected)
    print(f"key to next clip, keys without a pause: median {statistics.median(anna.times()):.0f} ms")
    anna.page.reload()
    anna.wait_for_clip()
    assert anna.text("#progress-text") == "100 of 10000"
    assert anna.item == 101
    assert all("Failed to load" in problem or "ERR_CONNECTION" in problem for problem in anna.problems)
    anna.page.context.close()


def test_the_time_from_key_to_next_clip_is_measured(browser: Browser, server: Server) -> None:
    quick = Reviewer(browser, server.url, "Quick")
    for _ in range(15):
        quick.go("a")
        # Who reviews looks and listens at least this long.
        time.sleep(0.3)
    assert len(quick.times()) == 15
    print(f"key to next clip of 10,000 items: median {statistics.median(quick.times()):.0f} ms")
    quick.page.context.close()


def test_an_answer_that_a_closed_tab_could_not_save_is_saved_later(
    browser: Browser, server: Server, project: Path
) -> None:
    cleo = Reviewer(browser, server.url, "Cleo")
    cleo.go("p")
    item = cleo.item
    server.kill()
    cleo.press("a")
    cleo.wait_for_text("#problem", "Not saved yet")
    cleo.page.close()
    assert of_reviewer(project, "Cleo") == [(1, "present")]
    server.start_again()
    cleo.page = cleo.page.context.new_page()
    cleo.open(server.url)
    cleo.wait_for_text("#status", "Saved an answer of your last visit")
    assert of_reviewer(project, "Cleo") == [(1, "present"), (item, "absent")]
    assert cleo.item == item + 1
    cleo.page.context.close()


def test_a_full_disk_is_told_and_the_answer_kept(browser: Browser, server: Server, project: Path) -> None:
    dora = Reviewer(browser, server.url, "Dora")
    dora.go("p")
    server.fill_disk()
    dora.press("a")
    dora.wait_for_text("#problem", "answers.jsonl: File too large")
    # Other keys do not replace the answer that waits.
    dora.press("p", "z", "s")
    assert dora.item == 2
    server.empty_disk()
    dora.wait_for_clip(2)
    assert of_reviewer(project, "Dora") == [(1, "present"), (2, "absent")]
    dora.page.context.close()


def test_a_held_or_hasty_key_answers_one_clip(browser: Browser, server: Server, project: Path) -> None:
    hans = Reviewer(browser, server.url, "Hans")
    hans.page.keyboard.down("a")
    for _ in range(5):
        hans.page.keyboard.down("a")
    hans.page.keyboard.up("a")
    hans.wait_for_clip(1)
    hans.page.wait_for_timeout(300)
    assert of_reviewer(project, "Hans") == [(1, "absent")]
    hans.page.context.close()


def test_other_species_and_notes_are_typed(browser: Browser, server: Server, project: Path) -> None:
    olga = Reviewer(browser, server.url, "Olga")
    olga.press("n", *"far away", "Enter")
    olga.wait_for_text("#own-note", "Note: far away")
    # More of the recording is shown; the note is not saved yet, but stays.
    olga.press("w")
    olga.wait_for_clip()
    olga.wait_for_text("#own-note", "Note: far away")
    olga.press("o", *"dun", "Enter")
    assert olga.text("#other-chosen") == "dunnock sp. (dunnock) \u00d7"
    olga.go("Enter")
    # Escape leaves a dialog without an answer, and the next key is the page's again.
    olga.press("o", *"rob", "Enter", "Escape", "n", "x", "Escape", "?", "Escape")
    olga.go("u")
    olga.press("?")
    assert "you cannot tell" in olga.text("#help-dialog")
    olga.press("Escape")
    lines = [line for line in journal(project) if line["reviewer"] == "Olga"]
    assert [(line["answer"], line["other_species"], line["note"]) for line in lines] == [
        ("other", ["dunnock"], "far away"), ("unsure", [], ""),
    ]  # fmt: skip
    # The answer shows when the reviewer comes back to the clip.
    olga.press("/", "Tab", *"answered", "Escape")
    olga.page.wait_for_function("document.querySelector('#filter-state').value === 'answered'")
    olga.wait_for_clip()
    assert olga.item == 1
    olga.wait_for_text("#own-note", "You answered other species: dunnock sp. (dunnock). Note: far away")
    olga.page.context.close()


def test_filters_and_skipping_choose_what_is_shown(browser: Browser, server: Server) -> None:
    fred = Reviewer(browser, server.url, "Fred")
    assert fred.go("s") == 1
    assert fred.go("ArrowRight") == 2
    assert fred.go("ArrowLeft") == 3
    assert fred.item == 2
    # Back leads to answered clips, too.
    fred.go("p")
    assert (fred.go("ArrowLeft"), fred.item) == (3, 2)
    fred.wait_for_text("#own-note", "You answered present.")
    assert (fred.go("ArrowLeft"), fred.item) == (2, 1)
    fred.press("ArrowLeft")
    assert fred.text("#status") == "There is no earlier clip."
    fred.go("ArrowRight")
    assert fred.item == 3
    fred.go("z")
    fred.press("/", *"robin", "Enter")
    fred.wait_for_clip(2)
    assert fred.text("#clip-title") == "robin sp. (robin)"
    assert fred.text("#progress-text") == "0 of 5000"
    fred.page.fill("#filter-low", "0.9")
    fred.press("Enter")
    fred.wait_for_text("#progress-text", "0 of 1000")
    fred.page.fill("#filter-low", "1")
    fred.press("Enter")
    fred.wait_for_text("#empty", "No clip is left")
    fred.press("p", "z", " ", "+", "m", "w", "s")
    assert not fred.problems
    fred.page.context.close()


def test_two_reviewers_do_not_see_each_other_but_their_agreement(browser: Browser, server: Server) -> None:
    one, two = (Reviewer(browser, server.url, name) for name in ("Ida", "Jan"))
    for key in "pap":
        one.go(key)
        two.go(key)
    assert two.text("#progress-text") == "3 of 10000"
    two.wait_for_text("#agreement", "Ida and Jan: 3 of 3 answers agree, Cohen's kappa 1.00.")
    two.wait_for_text("#curve-text", "2 present, 1 absent.")
    assert one.page.locator("#curve polyline.estimate").count() == 1
    for each in (one, two):
        each.page.context.close()


def test_keys_of_the_picture_and_the_sound(browser: Browser, server: Server) -> None:
    paul = Reviewer(browser, server.url, "Paul")

    def picture() -> str:
        return str(paul.page.evaluate("document.querySelector('#picture').toDataURL()"))

    seen = {picture()}
    for key in ("+", "-", ".", ",", "f", "c", "C", "C", "m", "m"):
        paul.press("+", "+") if key == "." else None
        paul.press(key)
        seen.add(picture())
    assert len(seen) >= 7
    paul.press("W", "W")
    paul.wait_for_clip()
    paul.press("w")
    paul.page.wait_for_timeout(500)
    assert picture() not in seen
    # A second of the clip lasts ten at a tenth of the speed.
    paul.press("3", " ")
    script = "async () => (await import('./sound.js')).position()?.at ?? null"
    start, began = paul.page.evaluate(script), time.monotonic()
    paul.page.wait_for_timeout(1000)
    moved, took = paul.page.evaluate(script) - start, time.monotonic() - began
    assert moved == pytest.approx(took / 10, abs=0.05)
    paul.press(" ")
    assert paul.page.evaluate(script) is None
    assert not paul.problems
    paul.page.context.close()


def test_the_spectrum_is_that_of_scipy(browser: Browser, server: Server) -> None:
    tab = Reviewer(browser, server.url, "Sam")
    samples = np.random.default_rng(3).normal(0, 0.1, RATE).astype(np.float32)
    found = tab.page.evaluate(
        """async ([samples, rate]) => {
            const { powerSpectrum } = await import("./spectrogram.js");
            const spectrum = powerSpectrum(Float32Array.from(samples), 0, samples.length, rate, 101);
            return { ...spectrum, levels: [...spectrum.levels] };
        }""",
        [samples.tolist(), RATE],
    )
    size, hop = 2 * (found["bins"] - 1), found["hop"]
    assert (size, hop, found["first"]) == (256, 159, 79)
    levels = np.array(found["levels"]).reshape(found["frames"], found["bins"])
    centres = found["first"] + hop * np.arange(found["frames"])
    frames = np.pad(samples, size // 2)[centres[:, None] + np.arange(size)] * hann(size, sym=False)
    np.testing.assert_allclose(levels, 10 * np.log10(np.abs(rfft(frames)) ** 2 + 1e-12), atol=0.05)
    tab.page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_wide_and_narrow_screens(browser: Browser, server: Server, width: int, scheme: str) -> None:
    tab = Reviewer(
        browser, server.url, f"{width}{scheme}", viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    for name in ("present", "absent", "unsure", "other", "undo", "skip"):
        box = tab.page.locator(f"#do-{name}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 844
        # Large enough for a thumb.
        assert width > 800 or box["height"] >= 44
    before = tab.item
    tab.page.click("#do-present")
    tab.wait_for_clip(before)
    assert not tab.problems
    tab.page.context.close()
