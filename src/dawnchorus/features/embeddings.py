"""Embeddings of the windows of recordings, and their files: one `<folder>/<recording_id>.npz` per recording."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.audio.decoding import Channel, read_blocks
from dawnchorus.config.features import Embedding
from dawnchorus.errors import InputError
from dawnchorus.features.embedders import Embedder, n_samples
from dawnchorus.files import replacing

# Inputs of a model at once. Each recording begins a batch, so that its vectors do not depend on other recordings.
BATCH_SIZE = 16
# What a damaged file raises.
DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
# The store has half precision.
LARGEST = float(np.finfo(np.float16).max)


def count_samples(path: Path, sample_rate: int, channel: Channel) -> int:
    """The number of samples of a recording at a sample rate, in Hz.

    Raises:
        InputError: the recording cannot be decoded.
    """
    return sum(map(len, read_blocks(path, sample_rate, channel)))


def embed_windows(
    embed: Embedder,
    settings: Embedding,
    path: Path,
    starts: NDArray[np.floating],
    window_seconds: float,
    seconds: float,
    channel: Channel,
) -> Iterator[NDArray[np.float32]]:
    """Embed the windows of a recording, each as the stretch of the model's length that has the window at its centre.

    A stretch that would reach beyond the recording is moved into it. A shorter recording is followed by silence.

    Args:
        embed: the model, from `load_embedder`.
        settings: of the model.
        path: the audio file.
        starts: start of each window, ascending, s, shape [Windows].
        window_seconds: length of a window, s.
        seconds: length of the recording, s.
        channel: number of the channel, from 1, or "mean".

    Yields:
        The vectors of consecutive windows, shape [Batch, Channels].

    Raises:
        InputError: the recording cannot be decoded, or a vector is not finite or too large to be kept.
    """
    begins = np.clip(starts + (window_seconds - settings.seconds) / 2, 0, max(0.0, seconds - settings.seconds))
    firsts = np.rint(begins * settings.sample_rate).astype(int)
    stretches = cut_stretches(read_blocks(path, settings.sample_rate, channel), firsts.tolist(), n_samples(settings))
    while several := list(islice(stretches, BATCH_SIZE)):
        vectors = embed(np.stack(several))
        if not (np.abs(vectors) <= LARGEST).all():
            raise InputError(
                f"{path}: {settings.model} returned values that are not finite, or beyond {LARGEST:,.0f}; "
                "use another output of the model, or another model"
            )
        yield vectors


def cut_stretches(
    blocks: Iterable[NDArray[np.float32]], firsts: Sequence[int], length: int
) -> Iterator[NDArray[np.float32]]:
    """Cut stretches from consecutive blocks of samples while they arrive.

    Args:
        blocks: shape [Samples] each.
        firsts: first sample of each stretch, ascending.
        length: samples in a stretch.

    Yields:
        Each stretch, shape [Length]. Behind the last block, it has zeros.
    """
    waiting = iter(blocks)
    kept, offset = np.zeros(0, np.float32), 0
    for first in firsts:
        while offset + len(kept) < first + length and (block := next(waiting, None)) is not None:
            done = min(len(kept), first - offset)
            kept, offset = np.concatenate([kept[done:], block]), offset + done
        stretch = kept[first - offset : first - offset + length]
        yield np.pad(stretch, (0, length - len(stretch)))


def write_embeddings(path: Path, starts: NDArray[np.integer], vectors: NDArray[np.floating]) -> None:
    """Write the embeddings of a recording's windows, as float16.

    Args:
        path: the file, `<recording_id>.npz`.
        starts: first frame of each window, shape [Windows].
        vectors: shape [Windows, Channels].
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, starts=starts.astype(np.int64), vectors=vectors.astype(np.float16))


def read_starts(path: Path) -> NDArray[np.int64]:
    """Read the first frame of each window from a file from `write_embeddings`, without the vectors, shape [Windows].

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["starts"]
    except DAMAGE as error:
        raise _damaged(path, error) from error


def read_embeddings(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Read a file from `write_embeddings`.

    Returns:
        First frame of each window, shape [Windows], and vectors, shape [Windows, Channels].

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            starts, vectors = file["starts"], file["vectors"].astype(np.float32)
        if vectors.ndim != 2 or starts.shape != vectors.shape[:1] or not np.isfinite(vectors).all():
            raise ValueError(f"has starts {starts.shape} and vectors {vectors.shape}, expected finite vectors of each")
    except DAMAGE as error:
        raise _damaged(path, error) from error
    return starts, vectors


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: has no embeddings: {error}; run `make verify`, then repeat the command")
