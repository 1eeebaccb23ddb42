"""Placement of windows in recordings."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram


def tile(n_frames: int, length: int, hop: int) -> NDArray[np.int64]:
    """Compute the first frames of windows that cover a whole recording.

    Args:
        n_frames: frames in the recording.
        length: frames in a window.
        hop: frames between the starts of consecutive windows, at most `length`.

    Returns:
        Starts, shape [Windows]: 0, hop, 2 hop, ...; the last window ends with the recording. A recording that is
        shorter than a window has one window.
    """
    last = max(0, n_frames - length)
    return np.append(np.arange(0, last, hop), last)


def centre_on(
    t_min: NDArray[np.float64],
    t_max: NDArray[np.float64],
    length: int,
    n_frames: NDArray[np.int64],
    settings: Spectrogram,
) -> NDArray[np.int64]:
    """Compute the first frames of windows that are centred on boxes. All arrays have the shape [Windows].

    Args:
        t_min: start of the box, s.
        t_max: end of the box, s.
        length: frames in a window.
        n_frames: frames in the recording.
        settings: settings of the spectrograms.

    Returns:
        First frame of each window. A window that would extend beyond the recording is moved to its start or end.
    """
    middle = (t_min + t_max) / 2 * settings.sample_rate / settings.hop_length
    return np.clip(np.round(middle - length / 2).astype(int), 0, np.maximum(0, n_frames - length))
