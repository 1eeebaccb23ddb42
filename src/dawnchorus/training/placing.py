"""Where training windows begin."""

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
    """Where training windows begin, so that they show an annotated box each; all arrays have the shape [Windows].

    Args:
        t_min: begin of the box, s.
        t_max: end of the box, s.
        seconds: length of a window, s.
        recording_seconds: length of the recording, s.
        begin_within: the box begins in this first part of the window.
        min_overlap: this part of the box (at most of a window) must lie in the window.
        draws: numbers from 0 to 1; 0 gives the earliest window that does both, 1 the latest.

    Returns:
        The begin of the window in s, within the recording where the recording is long enough.
    """
    needed = min_overlap * np.minimum(t_max - t_min, seconds)
    earliest = t_min - np.minimum(begin_within * seconds, seconds - needed)
    start = earliest + draws * (t_min - earliest)
    return np.minimum(np.maximum(start, 0.0), np.maximum(0.0, recording_seconds - seconds))
