"""Shared code of the benchmarks: a row of the table, and measuring several sides in turn."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from threadpoolctl import threadpool_limits


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what is measured.
        unit: unit of the three figures.
        ours: figure of this project.
        peer: figure of the usual way to do the same.
        limit: the best figure that the machine allows.
        faster_is_more: whether larger figures are better (items per second) rather than smaller ones (seconds).
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    faster_is_more: bool = True

    @property
    def ratio_to_peer(self) -> float | None:
        """The speed relative to the peer."""
        return self._ratio(self.peer)

    @property
    def ratio_to_limit(self) -> float | None:
        """The fraction of the limit that is reached."""
        return self._ratio(self.limit)

    def as_dict(self) -> dict[str, object]:
        """All fields and both ratios."""
        return asdict(self) | {"ratio_to_peer": self.ratio_to_peer, "ratio_to_limit": self.ratio_to_limit}

    def _ratio(self, other: float | None) -> float | None:
        if not other or not self.ours:
            return None
        return self.ours / other if self.faster_is_more else other / self.ours


def in_turn(sides: dict[str, Callable[[], object]], times: int, warm_up: bool = True) -> dict[str, float]:
    """Run functions in turn and return the median time of each.

    Args:
        sides: functions by name.
        times: number of measured runs of each.
        warm_up: whether each function runs once first, unmeasured.

    Returns:
        Median times by name, s.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(0 if warm_up else 1, times + 1):
        for name, function in sides.items():
            start = time.perf_counter()
            function()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


@contextmanager
def on_one_core() -> Iterator[None]:
    """Restrict this process to one core and one thread."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        with threadpool_limits(1):
            yield
    finally:
        os.sched_setaffinity(0, cores)
