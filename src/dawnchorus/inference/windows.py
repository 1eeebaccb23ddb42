"""Windows over recordings: where they begin."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram


def tile(n_frames: int, length: int, hop: int) -> NDArray[np.int64]:
    """First frames of the windows that together see a whole recording.

    Args:
        n_frames: frames of the recording.
        length: frames of a window.
        hop: frames between the starts of two windows, at most `length`.

    Returns:
        Starts with shape [Windows]: 0, hop, 2 hop, ...; the last window ends with the recording. A recording that is
        shorter than a window has one.
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
    """First frames of the windows that have an annotated box in their middle; all arrays have the shape [Windows].

    Args:
        t_min: begin of the box, s.
        t_max: end of the box, s.
        length: frames of a window.
        n_frames: frames of the recording.
        settings: of the spectrograms.

    Returns:
        Starts; where such a window would leave the recording, the nearest within it.
    """
    middle = (t_min + t_max) / 2 * settings.sample_rate / settings.hop_length
    return np.clip(np.round(middle - length / 2).astype(int), 0, np.maximum(0, n_frames - length))
