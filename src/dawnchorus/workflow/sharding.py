"""Shards of a set of recordings for `snakemake detect`, and which of them are finished.

    windows/.shards/request.json       the model and the settings
    windows/.shards/0001.csv           a shard: its recordings, with what tells whether a file has changed
    windows/.shards/0001.problems.csv  the shard is scored; recordings that could not be read, and why

Scores are in the journal of the output folder. So a shard that is dealt anew costs only the start of its job.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from dawnchorus.audio.lengths import estimate_seconds
from dawnchorus.errors import InputError
from dawnchorus.files import replacing
from dawnchorus.inference.journal import FOLDER, Journal, Stamp
from dawnchorus.workflow.detect_options import Options, Request
from dawnchorus.workflow.detection import find_recordings, unreadable
from dawnchorus.workflow.detection_task import Task
from dawnchorus.workflow.file_locks import lock

SHARDS, REQUEST = ".shards", "request.json"
COLUMNS = ("recording", "path", "size", "mtime_ns")
PROBLEM_COLUMNS = ("recording", "problem")


@dataclass(frozen=True)
class Plan:
    """How recordings were dealt into shards.

    Attributes:
        finished: shards of an earlier run that are kept.
        waiting: shards that have to be scored, with their hours of audio.
        changes: what differs from the recordings of the earlier run, for people; empty if nothing does.
    """

    finished: list[str]
    waiting: dict[str, float]
    changes: str

    def __str__(self) -> str:
        """A line for people."""
        hours = sum(self.waiting.values())
        return (
            f"{self.changes}shards to score: {len(self.waiting)} (about {hours:,.2f} h of audio); finished: "
            f"{len(self.finished)}"
        )


class Shards:
    """The shards in an output folder."""

    def __init__(self, output: Path) -> None:
        """Open the shards of an output folder, which may not exist yet."""
        self.folder = output / FOLDER / SHARDS

    def hold(self) -> IO[str]:
        """Lock the shards for a Snakemake that schedules them, as long as the returned file is open.

        Raises:
            InputError: another Snakemake holds them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        held = f"{self.folder.parent.parent}: another Snakemake detects in it; wait, or choose another output folder"
        return lock(self.folder / "run.lock", held)

    def names(self) -> list[str]:
        """The names of all shards, in order."""
        found = [path.stem for path in self.folder.glob("*.csv") if re.fullmatch(r"\d+", path.stem)]
        return sorted(found, key=int)

    def table(self, name: str) -> Path:
        """The file that lists a shard's recordings."""
        return self.folder / f"{name}.csv"

    def problems(self, name: str) -> Path:
        """The file that says that a shard is finished."""
        return self.folder / f"{name}.problems.csv"

    def write_request(self, model: Path, options: Options) -> None:
        """Keep the model's folder and the settings for the jobs."""
        with replacing(self.folder / REQUEST) as path:
            path.write_text(json.dumps({"model": str(model), "options": asdict(options)}, indent=2), encoding="utf-8")

    def read_request(self) -> tuple[Path, Options]:
        """Read what `write_request` wrote.

        Raises:
            InputError: the file is missing or damaged.
        """
        path = self.folder / REQUEST
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Path(found["model"]), Options(**found["options"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path}: cannot be read: {error}; repeat `snakemake detect`") from error

    def plan(self, recordings: Mapping[str, Path], journal: Journal, shard_hours: float) -> Plan:
        """Deal recordings into shards: those of finished shards stay where they are, the others are dealt anew.

        A shard is finished if none of its recordings has changed since, and all have scores or a problem.

        Args:
            recordings: audio files by recording_id, in the order in which they are dealt.
            journal: has the scores.
            shard_hours: audio of a shard, h. A longer recording is a shard of its own.
        """
        stamps = {name: _stamp(path) for name, path in recordings.items()}
        earlier = {name: self.read(name) for name in self.names()}
        kept = []
        for name, content in earlier.items():
            if self.problems(name).exists():
                unread = self.read_problems(name)
                if all(
                    stamps.get(each) == stamp and (each in unread or journal.has(each))
                    for each, stamp in content.items()
                ):
                    kept.append(name)
                    continue
                # Removed first: the table that follows may be of other recordings.
                self.problems(name).unlink()
        done = {each for name in kept for each in earlier[name]}
        left = {name: stamp for name, stamp in stamps.items() if name not in done}
        seconds = estimate_seconds({Path(stamp.path): stamp.size for stamp in stamps.values()})
        waiting = {}
        free = (f"{number:04}" for number in range(1, len(stamps) + len(kept) + 1) if f"{number:04}" not in kept)
        for name, (names, hours) in zip(free, _deal(left, seconds, shard_hours), strict=False):
            rows = [(each, left[each].path, left[each].size, left[each].mtime_ns) for each in names]
            _write(self.table(name), COLUMNS, rows)
            waiting[name] = hours
        for name in earlier:
            if name not in kept and name not in waiting:
                self.table(name).unlink()
        return Plan(kept, waiting, _changes({k: v for each in earlier.values() for k, v in each.items()}, stamps))

    def read(self, name: str) -> dict[str, Stamp]:
        """The recordings of a shard, with the stamps that they had when they were dealt.

        Raises:
            InputError: the shard is missing or damaged.
        """
        rows = self._rows(self.table(name), COLUMNS)
        try:
            return {recording: Stamp(path, int(size), int(time_ns)) for recording, path, size, time_ns in rows}
        except ValueError as error:
            raise InputError(f"{self.table(name)}: is damaged: {error}; {self._remedy}") from error

    def read_problems(self, name: str) -> dict[str, str]:
        """Why recordings of a finished shard could not be read, by recording_id.

        Raises:
            InputError: the shard is not finished, or the file is damaged.
        """
        return dict(self._rows(self.problems(name), PROBLEM_COLUMNS))

    def finish(self, name: str, problems: Mapping[str, str]) -> None:
        """Mark a shard as finished."""
        _write(self.problems(name), PROBLEM_COLUMNS, problems.items())

    @property
    def _remedy(self) -> str:
        return f"remove {self.folder}, and repeat `snakemake detect`; scores are kept"

    def _rows(self, path: Path, columns: Sequence[str]) -> list[list[str]]:
        try:
            with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                header, *rows = csv.reader(file)
        except FileNotFoundError as error:
            raise InputError(f"{path}: is missing; repeat `snakemake detect`") from error
        except (OSError, ValueError, csv.Error) as error:
            raise InputError(f"{path}: cannot be read: {error}; {self._remedy}") from error
        if header != [*columns] or any(len(row) != len(columns) for row in rows):
            raise InputError(f"{path}: is damaged; {self._remedy}")
        return rows


def prepare(request: Request) -> tuple[Plan, IO[str]]:
    """Check a request, and deal its recordings into shards in the output folder.

    Returns:
        How they were dealt, and a lock: as long as it is open, other calls of Snakemake are refused.

    Raises:
        InputError: the model, a setting or a recording is wrong, or another process writes to the output folder.
    """
    output = request.output.absolute()
    task = Task.of(request.model, output, request.options)
    recordings = find_recordings(request.recordings)
    # A wrong pattern is told before hours of scoring.
    task.sites(recordings)
    shards = Shards(output)
    with task.lock():
        task.begin()
        held = shards.hold()
        shards.write_request(request.model.absolute(), request.options)
        return shards.plan(recordings, task.journal, request.shard_hours), held


def score(output: Path, name: str, cores: int) -> None:
    """Score the recordings of a shard in an output folder, those that have no scores yet.

    Raises:
        InputError: the model is damaged, or another process writes the tables of the output folder.
    """
    shards = Shards(output)
    model, options = shards.read_request()
    task = Task.of(model, output, options)
    with task.lock(shared=True):
        recordings = {each: Path(stamp.path) for each, stamp in shards.read(name).items()}
        # Slurm may start a job again whose node it has lost, and which still runs.
        with lock(shards.table(name), None):
            task.begin()
            shards.finish(name, task.score(recordings, cores))


def merge(output: Path) -> tuple[list[str], str]:
    """Write the tables of all shards in an output folder.

    Shards with unreadable recordings are no longer finished then: the next run tries these recordings again.

    Returns:
        Lines for people, and which recordings could not be read; empty if all could.

    Raises:
        InputError: a shard is not finished, the model has changed, or another process writes to the output folder.
    """
    shards = Shards(output)
    model, options = shards.read_request()
    task = Task.of(model, output, options)
    with task.lock():
        task.begin()
        stamps = {each: stamp for name in shards.names() for each, stamp in shards.read(name).items()}
        problems = {name: shards.read_problems(name) for name in shards.names()}
        recordings = {each: Path(stamp.path) for each, stamp in sorted(stamps.items())}
        unread = dict(sorted((each, why) for several in problems.values() for each, why in several.items()))
        lines = task.write(recordings, unread)
        for name, several in problems.items():
            if several:
                shards.problems(name).unlink()
    return lines, unreadable(output, recordings, unread) if unread else ""


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    # Names of files need not be UTF-8.
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _stamp(path: Path) -> Stamp:
    try:
        return Stamp.of(path)
    except OSError:
        # The job says why it cannot be read.
        return Stamp(str(path), 0, 0)


def _deal(
    stamps: Mapping[str, Stamp], seconds: Mapping[Path, float], shard_hours: float
) -> Iterable[tuple[list[str], float]]:
    """Deal recordings in their order; yields the recordings of each shard and its hours.

    Where a shard ends depends on its own recordings only. So those of unfinished shards are dealt as they were.
    """
    names: list[str] = []
    hours = 0.0
    for name, stamp in stamps.items():
        names.append(name)
        hours += seconds[Path(stamp.path)] / 3600
        if hours >= shard_hours:
            yield names, hours
            names, hours = [], 0.0
    if names:
        yield names, hours


def _changes(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> str:
    """Say how recordings differ from those of the run before."""
    counts = {
        "new": len(now.keys() - before.keys()),
        "changed": sum(now[name] != stamp for name, stamp in before.items() if name in now),
        "gone": len(before.keys() - now.keys()),
    }
    if not before or not any(counts.values()):
        return ""
    return f"recordings since the last run: {', '.join(f'{count} {what}' for what, count in counts.items())}; "
