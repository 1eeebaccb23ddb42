"""The cache of spectrograms: `<folder>/<recording_id>.npy`, dB, time first, [Frames, Mels], float16."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing


def write_spectrogram(folder: Path, recording_id: str, spectrogram: NDArray[np.floating]) -> None:
    """Write a spectrogram in dB, shape [Frames, Mels]."""
    with replacing(folder / f"{recording_id}.npy") as path:
        np.save(path, spectrogram.astype(np.float16), allow_pickle=False)


def open_spectrogram(folder: Path, recording_id: str) -> NDArray[np.float16]:
    """Memory-map a spectrogram, shape [Frames, Mels].

    Raises:
        InputError: there is none, or the file is damaged.
    """
    path = folder / f"{recording_id}.npy"
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: cannot be read: {error}; does recording {recording_id!r} have an audio file? "
            "If so, delete the file and run again"
        ) from error
