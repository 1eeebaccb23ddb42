"""Scoring whole recordings: windows over all of each, then the maximum."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dawnchorus.cached import Spectrograms
from dawnchorus.errors import InputError
from dawnchorus.progress import track
from dawnchorus.windows import cover


def score_recordings(
    scorer: keras.Model,
    folder: Path,
    recording_ids: Sequence[str],
    hop_frames: int,
    batch_size: int,
    what: str | None = None,
) -> NDArray[np.float32]:
    """The clip scores of recordings: the maximum over each one's windows.

    Args:
        scorer: windows (Batch, Frames, Mels) -> scores (Batch, Species).
        folder: of the cached spectrograms.
        recording_ids: names of the recordings.
        hop_frames: frames between the starts of two windows; at most a window's.
        batch_size: windows in a forward pass.
        what: shown as progress, for example "recordings scored"; nothing is shown without it.

    Returns:
        Scores with shape [Recordings, Species].

    Raises:
        InputError: a score is no number, so the spectrogram or the weights are damaged.
    """
    spectrograms = Spectrograms(folder)
    scores = np.zeros((len(recording_ids), scorer.output_shape[-1]), np.float32)
    # A full batch each time, so that the model is compiled for one shape.
    batch = np.zeros((batch_size, *scorer.input_shape[1:]), np.float16)
    owners: list[int] = []

    def flush() -> None:
        np.maximum.at(scores, owners, np.asarray(scorer.predict_on_batch(batch))[: len(owners)])
        owners.clear()

    for number, name in enumerate(track(recording_ids, len(recording_ids), what) if what else recording_ids):
        for start in cover(spectrograms.frames(name), batch.shape[1], hop_frames):
            spectrograms.read(name, int(start), batch[len(owners)])
            owners.append(number)
            if len(owners) == batch_size:
                flush()
    if owners:
        flush()
    damaged = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(damaged):
        path = folder / f"{recording_ids[damaged[0]]}.npy"
        raise InputError(
            f"{path}: {len(damaged)} of {len(scores)} recordings get scores that are no numbers, this one first; it "
            "or the model's weights are damaged: `make verify` finds which"
        )
    return scores
