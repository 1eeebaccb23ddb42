"""Headless Chromium for tests of the page, which they drive by keyboard alone."""

from typing import Any

from playwright.sync_api import Browser, Page

MS_TO_WAIT = 30_000


class Reviewer:
    """Somebody at the keyboard.

    Attributes:
        page: the tab.
        problems: what the browser complained of: errors of scripts, and what the policy forbids.
    """

    def __init__(self, browser: Browser, url: str, name: str, **options: Any) -> None:
        """Open the page, and give a name."""
        self.page: Page = browser.new_context(**options).new_page()
        self.page.set_default_timeout(MS_TO_WAIT)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.name = name
        self.open(url)

    def open(self, url: str) -> None:
        """Open the page; give the name if it asks."""
        self.page.goto(url)
        self.page.wait_for_selector("#start-dialog[open], body[data-shown]")
        if self.page.locator("#start-dialog[open]").count():
            self.press(*self.name, "Enter")
        self.wait_for_clip()

    @property
    def item(self) -> int:
        """The number of the item that is shown."""
        return int(self.page.get_attribute("body", "data-shown") or 0)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def wait_for_clip(self, other_than: int = 0) -> None:
        """Wait until a clip is shown, another than one."""
        self.page.wait_for_function("old => Number(document.body.dataset.shown || old) !== old", arg=other_than)

    def go(self, *keys: str) -> int:
        """Press keys that lead to another clip, and wait for it; returns the item that was shown before."""
        before = self.item
        self.press(*keys)
        self.wait_for_clip(before)
        return before

    def text(self, selector: str) -> str:
        """The text of an element."""
        return self.page.locator(selector).inner_text()

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until an element has a text."""
        self.page.wait_for_function(
            "([selector, text]) => document.querySelector(selector).innerText.includes(text)", arg=[selector, text]
        )

    def times(self) -> list[float]:
        """How long each answer took from the key to the next clip on the screen, ms."""
        script = "performance.getEntriesByName('key to next clip').map(entry => entry.duration)"
        return [float(one) for one in self.page.evaluate(script)]
