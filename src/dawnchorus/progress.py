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

    def step(self, note: str = "") -> None:
        """Count one more item; a note about it is always written to a log."""
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


class HoursProgress:
    """Shows how many hours of recordings are done, also while a long one is under way, how fast, and the time left."""

    def __init__(self, total: int, what: str) -> None:
        """Begin.

        Args:
            total: number of recordings.
            what: what is done with them, such as "recordings scored".
        """
        self._total, self._what = total, what
        self._last = time.monotonic()
        bar_format = "{percentage:3.0f}%|{bar:20}| {desc}"
        self._bar = tqdm(total=1.0, bar_format=bar_format) if sys.stderr.isatty() else None

    def show(self, done: int, hours: float, of_hours: float, seconds: float, note: str = "") -> None:
        """Show how things stand: on a terminal at once, in a log every ten seconds, at the end, and with each note.

        Args:
            done: number of finished recordings.
            hours: of sound that were done.
            of_hours: of sound in all, as far as known.
            seconds: that these `hours` have taken.
            note: news about a recording.
        """
        line = hours_line(done, self._total, self._what, min(hours, of_hours), of_hours, seconds)
        line = f"{line}: {note}" if note else line
        is_end = done == self._total
        if self._bar is not None:
            if of_hours:
                self._bar.total, self._bar.n = of_hours, min(hours, of_hours)
            self._bar.set_description_str(line)
            if is_end:
                self._bar.close()
            return
        now = time.monotonic()
        if note or is_end or now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            print(line, file=sys.stderr, flush=True)


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


def hours_line(done: int, total: int, what: str, hours: float, of_hours: float, seconds: float) -> str:
    """A line such as "0 of 1 recordings scored, 10.8 of 24.0 h, 210 times real time, 4 min left"."""
    digits = 1 if of_hours >= 1 else 3
    parts = [f"{done} of {total} {what}", f"{hours:.{digits}f} of {of_hours:.{digits}f} h"]
    if hours and seconds:
        parts.append(f"{hours * 3600 / seconds:.0f} times real time")
        parts += [f"{duration(seconds / hours * (of_hours - hours))} left"] if done < total else []
    return ", ".join([*parts, f"took {duration(seconds)}"] if done == total else parts)


def duration(seconds: float) -> str:
    """A time for people, of two or three digits."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
