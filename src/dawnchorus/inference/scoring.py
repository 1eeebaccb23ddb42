"""Scoring with a trained model: clip scores and window scores of recordings."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.features.store import FeatureStore, from_codes
from dawnchorus.inference.windows import tile
from dawnchorus.progress import track


def score_recordings(
    scorer: keras.Model,
    folder: Path,
    recording_ids: Sequence[str],
    hop_frames: int,
    batch_size: int,
    what: str | None = None,
) -> NDArray[np.float32]:
    """Compute the clip scores of recordings: the maximum over the windows of each recording.

    Args:
        scorer: windows (Batch, Frames, Mels) -> scores (Batch, Species).
        folder: folder of the spectrograms.
        recording_ids: recordings to score.
        hop_frames: frames between the starts of consecutive windows, at most the length of a window.
        batch_size: windows in a forward pass.
        what: label of the progress display, for example "recordings scored"; without it, no progress is shown.

    Returns:
        Scores, shape [Recordings, Species].

    Raises:
        InputError: a spectrogram is missing or damaged, or a score is not finite.
    """
    spectrograms = FeatureStore(folder)
    length = scorer.input_shape[1]
    tracked = track(recording_ids, len(recording_ids), what) if what else recording_ids
    windows = (
        (number, name, int(start))
        for number, name in enumerate(tracked)
        for start in tile(spectrograms.frames(name), length, hop_frames)
    )
    scores = np.zeros((len(recording_ids), scorer.output_shape[-1]), np.float32)
    for owners, found in _score_windows(scorer, spectrograms, windows, batch_size):
        np.maximum.at(scores, owners, found)
    _refuse_damaged(scores, folder, recording_ids, "recordings")
    return scores


def score_windows(
    scorer: keras.Model, folder: Path, recording_ids: Sequence[str], hop_frames: int, batch_size: int, what: str
) -> list[NDArray[np.float32]]:
    """Compute the scores of all windows of recordings, in the order of `windows.tile`.

    The arguments and errors are those of `score_recordings`.

    Returns:
        Scores of each recording, shape [Windows, Species].
    """
    if not recording_ids:
        return []
    spectrograms = FeatureStore(folder)
    starts = [tile(spectrograms.frames(name), scorer.input_shape[1], hop_frames) for name in recording_ids]
    names = [name for name, several in zip(recording_ids, starts, strict=True) for _ in several]
    windows = zip(range(len(names)), names, np.concatenate(starts).tolist(), strict=True)
    batches = [found for _, found in _score_windows(scorer, spectrograms, track(windows, len(names), what), batch_size)]
    scores = np.concatenate(batches)
    _refuse_damaged(scores, folder, names, "windows")
    return np.split(scores, np.cumsum([len(several) for several in starts])[:-1])


def _score_windows(
    scorer: keras.Model, spectrograms: FeatureStore, windows: Iterable[tuple[int, str, int]], batch_size: int
) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """Score windows, each given by the index of its owner (a recording or window), a recording and a first frame.

    Yields:
        The owner of each window in a batch, and their scores, (Batch, Species).
    """
    # Every batch has the full size, so that the model is compiled for one shape only.
    batch = np.zeros((batch_size, *scorer.input_shape[1:]), np.int16)
    waiting = iter(windows)
    while several := list(islice(waiting, batch_size)):
        for window, (_, name, start) in zip(batch, several, strict=False):
            spectrograms.read(name, start, window)
        yield [owner for owner, _, _ in several], np.asarray(scorer.predict_on_batch(from_codes(batch)))[: len(several)]


def _refuse_damaged(scores: NDArray[np.float32], folder: Path, recording_ids: Sequence[str], what: str) -> None:
    damaged = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(damaged):
        path = folder / f"{recording_ids[damaged[0]]}.npy"
        raise InputError(
            f"{path}: the scores of {len(damaged)} of {len(scores)} {what} are not finite; this is the first of them. "
            "The spectrogram or the model's weights are damaged; run `make verify` to find which"
        )
