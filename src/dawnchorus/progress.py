"""Progress of long work: a bar on a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items and show how many are done and how long the rest takes.

    Args:
        items: the work.
        total: how many items there are.
        what: what has been done with one, in the plural: "recordings cached".
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, desc=what, unit="")
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if done == total or now - last >= SECONDS_BETWEEN_LINES:
            last = now
            print(progress_line(done, total, what, now - start), file=sys.stderr, flush=True)


def progress_line(done: int, total: int, what: str, seconds: float) -> str:
    """One line of a log: "40 of 160 recordings cached, 12 s left"."""
    rest = f"{seconds / done * (total - done):.0f} s left" if done < total else f"took {seconds:.0f} s"
    return f"{done} of {total} {what}, {rest}"
