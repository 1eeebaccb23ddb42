"""How long jobs took, in this run and before, and how long the remaining ones will take."""

import contextlib
import heapq
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dawnchorus.files import replacing

# Kept by `make clean`, unlike logs.
FILE = Path(".dvc/tmp/durations.json")
# Jobs of a kind that are remembered.
REMEMBERED = 5
# Before the kind of a job that DVC did not have to run.
WITHOUT_RUN = "without-run "
# For sums of shares in floating point.
SLACK = 1e-6


@dataclass(frozen=True)
class Work:
    """A job that has not finished.

    Attributes:
        seconds: estimated time left of it; None if unknown.
        share: the part of the machine, or of the cluster's slots, that it occupies, from 0 to 1.
        parents: names of the jobs that have to finish before it.
        runs: whether it has started.
    """

    seconds: float | None
    share: float
    parents: frozenset[str] = frozenset()
    runs: bool = False


class Durations:
    """The durations of jobs by kind. A kind is a rule with its wildcards, except the fold.

    Attributes:
        asked: the resources that the jobs of a rule asked for, such as {"cores": 1, "gpu": 1}.
    """

    asked: dict[str, dict[str, int]]

    def __init__(self, path: Path | None = None) -> None:
        """Begin with the durations of earlier runs.

        Args:
            path: file that keeps durations; None to remember those of this run alone.
        """
        self._path = path
        self._earlier, self.asked = _read(path) if path else ({}, {})
        self._now: dict[str, list[float]] = {}

    def add(self, kind: str, seconds: float, ran: bool = True) -> None:
        """Remember how long a job took.

        Args:
            kind: as above.
            seconds: its duration.
            ran: whether it ran its command. If not, DVC had its results.
        """
        self._now.setdefault(kind if ran else WITHOUT_RUN + kind, []).append(seconds)
        if self._path is None or not self._path.parent.exists():
            return
        merged = self._earlier | {key: (self._earlier.get(key, []) + new) for key, new in self._now.items()}
        kept = {key: values[-REMEMBERED:] for key, values in sorted(merged.items())}
        # Without room on the disk, the next run estimates worse; this one goes on.
        with contextlib.suppress(OSError), replacing(self._path) as file:
            file.write_text(json.dumps({"seconds": kept, "asked": self.asked}))

    def expect(self, kind: str) -> float | None:
        """The estimated duration of a job in s; None if no job of its rule has finished, now or earlier."""
        rule = kind.partition(" ")[0]
        for known, name in (
            (self._now, kind),
            (self._now, WITHOUT_RUN + kind),
            (self._earlier, kind),
        ):
            if name in known:
                return statistics.median(known[name])
        for known in (self._now, self._earlier):
            alike = [value for key, values in known.items() if key.partition(" ")[0] == rule for value in values]
            if alike:
                return statistics.median(alike)
        restored = self._earlier.get(WITHOUT_RUN + kind)
        return statistics.median(restored) if restored else None


def _read(path: Path) -> tuple[dict[str, list[float]], dict[str, dict[str, int]]]:
    """Durations and resources of earlier runs. They only serve for estimates, so a damaged file counts as empty."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        seconds = {kind: [float(each) for each in values] for kind, values in content["seconds"].items() if values}
        asked = {
            rule: {name: int(amount) for name, amount in amounts.items()} for rule, amounts in content["asked"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}, {}
    return seconds, asked


def time_left(work: Mapping[str, Work]) -> tuple[float, bool]:
    """Estimate how long jobs will take, if each starts as soon as its parents are done and there is room.

    Args:
        work: the unfinished jobs, by name.

    Returns:
        The time in s, and whether it covers all jobs. Those of unknown duration count as 0 s.
    """
    waiting = {name: {parent for parent in job.parents if parent in work} for name, job in work.items()}
    children: dict[str, list[str]] = {}
    for name, parents in waiting.items():
        for parent in parents:
            children.setdefault(parent, []).append(name)
    # Jobs that run come first.
    ready = sorted((name for name, parents in waiting.items() if not parents), key=lambda name: not work[name].runs)
    ends: list[tuple[float, str]] = []
    now, room = 0.0, 1.0
    while ready or ends:
        left: list[str] = []
        for row, name in enumerate(ready):
            if room <= SLACK and not work[name].runs:
                left += ready[row:]
                break
            if work[name].runs or work[name].share <= room + SLACK:
                room -= work[name].share
                heapq.heappush(ends, (now + (work[name].seconds or 0.0), name))
            else:
                left.append(name)
        now, ended = heapq.heappop(ends)
        room += work[ended].share
        ready = [*left, *_freed(children.get(ended, []), waiting, ended)]
    return now, all(job.seconds is not None for job in work.values())


def _freed(names: Iterable[str], waiting: dict[str, set[str]], ended: str) -> list[str]:
    """Those among some jobs for which the job that has ended was the last to wait for."""
    freed = []
    for name in names:
        waiting[name].discard(ended)
        if not waiting[name]:
            freed.append(name)
    return freed
