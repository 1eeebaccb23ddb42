"""Scoring of many recordings with a model bundle: on all cores, and so that a killed run goes on where it was."""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from dawnchorus.audio.decoding import Channel
from dawnchorus.audio.file_checks import look_at_header
from dawnchorus.data.clock_times import start_of
from dawnchorus.data.recordings import why_unusable
from dawnchorus.errors import InputError
from dawnchorus.inference.journal import Journal, Scored, Stamp
from dawnchorus.inference.members import Members
from dawnchorus.inference.tally import Tally
from dawnchorus.models.bundle import Bundle
from dawnchorus.progress import HoursProgress

# More windows at once take no less time each.
BATCH_SIZE = 16
# A recording that ends earlier than its header says by more than this is truncated, s.
TOLERANCE_SECONDS = 0.1
WHAT = "recordings scored"
# Recordings that wait in the pool for each process.
AHEAD = 4
# Time between two looks at how far the processes are, s.
SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class Work:
    """How recordings are scored.

    Attributes:
        bundle: the model.
        hop_seconds: time between the starts of two windows, s.
        channel: number of the channel, from 1; "mean" for the mean of all; "each" for each by itself.
        timezone: of recorders that did not write one; None if it is unknown.
    """

    bundle: Bundle
    hop_seconds: float
    channel: Channel | Literal["each"]
    timezone: tzinfo | None


def score_all(
    recordings: Mapping[str, Path], work: Work, journal: Journal, workers: int, load: Callable[[], Members]
) -> dict[str, str]:
    """Score the recordings that a journal does not have yet.

    Args:
        recordings: audio files by recording_id.
        work: how to score them.
        journal: gets the scores.
        workers: number of processes.
        load: called first in each process; sets its device and threads, and loads the model.

    Returns:
        Why recordings could not be scored, by recording_id.

    Raises:
        InputError: the model is damaged, or a process was killed.
    """
    waiting = {name: path for name, path in recordings.items() if not _is_done(journal.stamp(name), path)}
    problems = {name: why for name, path in waiting.items() if (why := why_unusable(path))}
    waiting = {name: path for name, path in waiting.items() if name not in problems}
    if not waiting:
        return problems
    done, n_bytes = len(recordings) - len(waiting), sum(map(_size, waiting.values()))
    progress = HoursProgress(len(recordings), WHAT)
    context = multiprocessing.get_context("spawn")
    tally = Tally(context)

    def show(note: str = "") -> None:
        if note or tally.elapsed():
            progress.show(done, tally.scored() / 3600, tally.total(n_bytes) / 3600, tally.elapsed(), note)

    with ProcessPoolExecutor(workers, context, _set_up, (work, load, tally)) as pool:
        for name, found in _in_pool(pool, waiting, AHEAD * workers, show):
            done += 1
            if isinstance(found, str):
                problems[name] = found
                show(f"{name}: {found}")
            else:
                journal.write(name, *found)
                show()
    return dict(sorted(problems.items()))


def _size(path: Path) -> int:
    """Size of a file, bytes; 0 if it cannot be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


# A recording's stamp before it was read, and its scores.
Result = tuple[Stamp, Scored]


def _in_pool(
    pool: ProcessPoolExecutor, recordings: dict[str, Path], most: int, show: Callable[[], object]
) -> Iterator[tuple[str, Result | str]]:
    """Score recordings in a pool with at most so many at a time; yields each, or why it could not be scored.

    Meanwhile, `show` is called again and again.
    """
    running: dict[Future[Result | str], str] = {}
    left = iter(recordings.items())
    try:
        while True:
            for name, path in left:
                running[pool.submit(_score, name, path)] = name
                if len(running) >= most:
                    break
            if not running:
                return
            show()
            for future in wait(running, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise InputError(
            "a process that scores recordings has ended, perhaps for lack of memory; the log in the output folder may "
            "say why. Run again, which goes on where this run was, with fewer --cores. It was scoring "
            f"{', '.join(list(running.values())[: most // AHEAD])}"
        ) from error
    except BaseException:
        # What runs would take long for a long recording, and nobody would use it.
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise


# Set in each process of the pool.
_state: tuple[Work, Members, Tally] | InputError | None = None


def _set_up(work: Work, load: Callable[[], Members], tally: Tally) -> None:
    global _state
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # An exception here would look like a killed process.
    try:
        _state = work, load(), tally
        tally.get_ready()
    except InputError as error:
        _state = error


def _end_with_parent() -> None:
    """End this process when the one that started it is killed, for which it would wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _is_done(stamp: Stamp | None, path: Path) -> bool:
    try:
        return stamp is not None and stamp == Stamp.of(path)
    except OSError:
        # It gets its reason when it is read.
        return False


def _score(name: str, path: Path) -> Result | str:
    """Score a recording in a process of the pool; returns why it cannot be scored as text."""
    if not isinstance(_state, tuple):
        raise _state or RuntimeError("the process was not set up")
    work, members, tally = _state
    told = length = 0.0
    try:
        stamp = Stamp.of(path)
        header = look_at_header(path, with_hash=False)
        length = 0.0 if header.faults else header.seconds
        tally.start(length, stamp.size)
        if header.faults:
            return "; ".join(header.faults)
        channels = [*range(1, header.channels + 1)] if work.channel == "each" else [work.channel]

        def tell(channels_before: int, seconds: float) -> None:
            nonlocal told
            scored = (channels_before * length + min(seconds, length)) / len(channels)
            tally.add(scored - told)
            told = scored

        parts = [
            members.score_recording(
                path, work.bundle.info.settings, work.hop_seconds, channel, BATCH_SIZE, partial(tell, number)
            )
            for number, channel in enumerate(channels)
        ]
    except InputError as error:
        return str(error).removeprefix(f"{path}: ")
    except OSError as error:
        return error.strerror or str(error)
    finally:
        # Of a recording that ends early, nothing more is to come.
        tally.add(length - told)
    decoded = parts[0][2]
    if decoded < header.seconds - TOLERANCE_SECONDS:
        return f"truncated: {decoded:.1f} of {header.seconds:.1f} s can be decoded"
    begin = start_of(name, header.notes, work.timezone)
    numbers = [0 if channel == "mean" else int(channel) for channel in channels]
    return stamp, Scored(
        header.seconds, header.rate, header.channels, "" if begin is None else begin.isoformat(),
        np.repeat(numbers, [len(starts) for starts, _, _ in parts]),
        np.concatenate([starts for starts, _, _ in parts]), np.concatenate([scores for _, scores, _ in parts]),
    )  # fmt: skip
