"""Embedding of many recordings, on all cores, and so that an interrupted run goes on where it was."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.audio.decoding import Channel
from dawnchorus.config.features import Embedding
from dawnchorus.errors import InputError
from dawnchorus.features.embedders import load_embedder, model_digest
from dawnchorus.features.embeddings import count_samples, embed_windows, write_embeddings
from dawnchorus.features.frames import FrameGrid, n_frames, to_seconds
from dawnchorus.progress import track

# One model for each process.
load_once = lru_cache(1)(load_embedder)


@dataclass(frozen=True)
class Task:
    """How recordings are embedded.

    Attributes:
        model: the embedding.
        grid: whose frames the windows start on.
        length: frames in a window.
        starts_of: the first frames of the windows of a recording with a number of frames.
        channel: number of the channel, from 1, or "mean".
        skip_bad: whether a recording that cannot be decoded is left out.
    """

    model: Embedding
    grid: FrameGrid
    length: int
    starts_of: Callable[[int], NDArray[np.int64]]
    channel: Channel
    skip_bad: bool = False


def embed_recordings(
    recordings: Mapping[str, Path],
    digests: Mapping[str, str],
    folder: Path,
    unfinished: Path,
    task: Task,
    workers: int,
    prepare: Callable[[], object],
    what: str,
) -> list[str]:
    """Write the embeddings of recordings into a folder.

    Args:
        recordings: audio files by the name that their embeddings get below the folder, without its suffix.
        digests: hash of the sound of each recording.
        folder: gets `<name>.npz`.
        unfinished: folder for what an interrupted run has finished; it is removed at the end.
        task: how recordings are embedded.
        workers: number of processes.
        prepare: called in each process first, to set up its device.
        what: shown as progress, for example "train recordings embedded".

    Returns:
        Why recordings were left out, a text for each.

    Raises:
        InputError: a recording cannot be decoded and `task.skip_bad` is false, the model cannot be used, or a process
            was killed.
        OSError: a recording is missing or may not be read.
    """
    length = to_seconds(task.length, task.grid)
    # A model's file may be replaced before an interrupted run goes on.
    model = f"{model_digest(task.model)} {task.model.model_dump_json()}"
    settings = f"{model} {task.grid} {length} {task.channel}"
    starts = repr([task.starts_of(frames).tolist() for frames in (1, 10 * task.length)])
    kept = {
        name: unfinished / f"{hashlib.sha256(f'{settings} {starts} {digests[name]}'.encode()).hexdigest()}.npz"
        for name in recordings
    }
    unfinished.mkdir(parents=True, exist_ok=True)
    # The same sound under two names is embedded once.
    waiting = {path: recordings[name] for name, path in kept.items() if not path.exists()}
    try:
        with ProcessPoolExecutor(workers, initializer=prepare) as pool:
            found = pool.map(partial(_embed, task=task), waiting.items())
            answers = zip(waiting, track(found, len(waiting), what), strict=True)
            problems = {path: problem for path, problem in answers if problem}
    except BrokenProcessPool as error:
        raise InputError(
            "a process that embeds recordings has ended, perhaps for lack of memory; the log may say why. Run again, "
            "which keeps the recordings that are finished, with fewer --cores"
        ) from error
    for name, path in kept.items():
        if path not in problems:
            target = folder / f"{name}.npz"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.rmtree(unfinished)
    return [problems[path] for path in kept.values() if path in problems]


def _embed(item: tuple[Path, Path], task: Task) -> str:
    """Embed a recording; returns why it was left out, or nothing."""
    output, path = item
    # A file that is missing or may not be read is no bad recording: its `OSError` ends the run.
    path.open("rb").close()
    embed = load_once(task.model)
    second = to_seconds(1, task.grid)
    try:
        n_samples = count_samples(path, task.grid.sample_rate, task.channel)
        starts = task.starts_of(n_frames(n_samples, task.grid))
        seconds = n_samples / task.grid.sample_rate
        vectors = embed_windows(embed, task.model, path, starts * second, task.length * second, seconds, task.channel)
        write_embeddings(output, starts, np.concatenate(list(vectors)))
    except InputError as error:
        if not task.skip_bad:
            raise
        return str(error)
    return ""
