"""Placement of windows in recordings."""

import numpy as np
from numpy.typing import NDArray


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
