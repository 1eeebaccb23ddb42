"""Progress of long tasks: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts finished items, and shows their number and the estimated remaining time."""

    def __init__(self, total: int, what: str, done: int = 0) -> None:
        """Start the clock.

        Args:
            total: number of items.
            what: the items and what is done with them, such as "recordings cached".
            done: number of items that an earlier run finished.
        """
        self._total, self._what, self._done, self._earlier = total, what, done, done
        self._start = self._last = time.monotonic()
        self._bar = tqdm(total=total, initial=done, desc=what, unit="") if sys.stderr.isatty() else None

    def step(self, note: str = "", status: str = "") -> None:
        """Count one more item.

        Args:
            note: news, which are always written to a log.
            status: how things stand, which is written to a log every ten seconds, and with the last item.
        """
        self._done += 1
        if self._bar is not None:
            self._bar.set_postfix_str(note or status, refresh=False)
            self._bar.update()
            if self._done == self._total:
                self._bar.close()
            return
        now = time.monotonic()
        if note or self._done == self._total or now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            line = progress_line(self._done, self._total, self._what, now - self._start, self._earlier)
            print(f"{line}: {note or status}" if note or status else line, file=sys.stderr, flush=True)


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items and show progress; `total` and `what` are as in `Progress`."""
    progress = Progress(total, what)
    for item in items:
        yield item
        progress.step()


def progress_line(done: int, total: int, what: str, seconds: float, earlier: int = 0) -> str:
    """A line for a log, such as "40 of 160 recordings cached, 12 s left"; `seconds` excludes the `earlier` items."""
    rest = f"{seconds / (done - earlier) * (total - done):.0f} s left" if done < total else f"took {seconds:.0f} s"
    return f"{done} of {total} {what}, {rest}"
