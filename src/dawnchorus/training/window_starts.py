"""Where training windows start, so that each contains its box, or is in it."""

import numpy as np
from numpy.typing import NDArray


def sample_starts(
    t_min: NDArray[np.float64],
    t_max: NDArray[np.float64],
    seconds: float,
    recording_seconds: NDArray[np.float64],
    begin_within: float,
    min_overlap: float,
    draws: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sample the starts of training windows that each contain a box, or a part of a longer one, anywhere in it.

    All arrays have the shape [Windows].

    Args:
        t_min: start of the box, s.
        t_max: end of the box, s.
        seconds: length of a window, s.
        recording_seconds: length of the recording, s.
        begin_within: the box starts within this first fraction of the window, or before it.
        min_overlap: minimum fraction of the box, or of the window if that is shorter, that is in the window.
        draws: random numbers from 0 to 1; 0 selects the earliest window that meets both conditions. 1 selects the
            latest, which starts with the box, or ends with one that is longer than a window.

    Returns:
        Start of each window, s. The window does not extend beyond the recording, unless the recording is shorter.
    """
    needed = min_overlap * np.minimum(t_max - t_min, seconds)
    earliest = t_min - np.minimum(begin_within * seconds, seconds - needed)
    latest = np.maximum(t_min, t_max - seconds)
    start = earliest + draws * (latest - earliest)
    return np.minimum(np.maximum(start, 0.0), np.maximum(0.0, recording_seconds - seconds))
