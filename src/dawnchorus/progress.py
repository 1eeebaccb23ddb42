"""Progress of long work: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts finished pieces of some work and shows how many are done and how long the rest takes."""

    def __init__(self, total: int, what: str, done: int = 0) -> None:
        """Start the clock.

        Args:
            total: how many pieces there are.
            what: what has been done with one, in the plural: "recordings cached".
            done: how many an earlier run has done.
        """
        self._total, self._what, self._done, self._earlier = total, what, done, done
        self._start = self._last = time.monotonic()
        self._bar = tqdm(total=total, initial=done, desc=what, unit="") if sys.stderr.isatty() else None

    def step(self, note: str = "") -> None:
        """Count one more piece; in a log, a line with a note is always written, others every ten seconds."""
        self._done += 1
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()
            if self._done == self._total:
                self._bar.close()
            return
        now = time.monotonic()
        if note or self._done == self._total or now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            line = progress_line(self._done, self._total, self._what, now - self._start, self._earlier)
            print(f"{line}: {note}" if note else line, file=sys.stderr, flush=True)


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items and show the progress; `total` and `what` as in `Progress`."""
    progress = Progress(total, what)
    for item in items:
        yield item
        progress.step()


def progress_line(done: int, total: int, what: str, seconds: float, earlier: int = 0) -> str:
    """One line of a log: "40 of 160 recordings cached, 12 s left"; `earlier` ones took none of the seconds."""
    rest = f"{seconds / (done - earlier) * (total - done):.0f} s left" if done < total else f"took {seconds:.0f} s"
    return f"{done} of {total} {what}, {rest}"
