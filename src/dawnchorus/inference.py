"""Scoring whole recordings: windows over all of each, then the maximum."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from dawnchorus.cached import open_spectrogram
from dawnchorus.progress import track
from dawnchorus.windows import cover, cut


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
    """
    length = scorer.input_shape[1]
    scores = np.zeros((len(recording_ids), scorer.output_shape[-1]), np.float32)
    windows: list[NDArray[np.float16]] = []
    owners: list[int] = []

    def flush() -> None:
        # A full batch each time, so that the model is compiled for one shape.
        batch = np.zeros((batch_size, *windows[0].shape), np.float16)
        batch[: len(windows)] = windows
        np.maximum.at(scores, owners, np.asarray(scorer.predict_on_batch(batch))[: len(windows)])
        windows.clear()
        owners.clear()

    for number, name in enumerate(track(recording_ids, len(recording_ids), what) if what else recording_ids):
        spectrogram = open_spectrogram(folder, name)
        for start in cover(len(spectrogram), length, hop_frames):
            windows.append(cut(spectrogram, int(start), length))
            owners.append(number)
            if len(windows) == batch_size:
                flush()
    if windows:
        flush()
    return scores
