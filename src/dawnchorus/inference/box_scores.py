"""Scores of boxes, from the scores of the windows that contain them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.inference.window_tables import Windows

# Starts of windows are frames, so the overlap with a box may be short of `min_overlap` by rounding.
TOLERANCE = 1e-6
# A box that is as long as a window, up to so much (s), was not drawn around a call: somebody listened to a window, and
# the call is anywhere in it. So windows that share a part of it may be without the call.
AS_LONG = 0.05


def is_whole_window(lengths: NDArray[np.floating], window_seconds: float) -> NDArray[np.bool_]:
    """Whether boxes are as long as a window, up to `AS_LONG`; `lengths` in s, shape [Boxes]."""
    return np.abs(lengths - window_seconds) <= AS_LONG


def score_boxes(
    windows: Windows, boxes: pd.DataFrame, window_seconds: float, min_overlap: float
) -> NDArray[np.float32]:
    """Score each box: the maximum score of its species over the windows that contain enough of it.

    Args:
        windows: scores of the windows of the boxes' recordings, and perhaps of others.
        boxes: recording_id, species_id, t_min and t_max (s).
        window_seconds: length of a window, s.
        min_overlap: see `best_windows`.

    Returns:
        Shape [Boxes].
    """
    return windows.scores[best_windows(windows, boxes, window_seconds, min_overlap), boxes.species_id.to_numpy()]


def best_windows(windows: Windows, boxes: pd.DataFrame, window_seconds: float, min_overlap: float) -> NDArray[np.int64]:
    """Find the window with the highest score of its species, for each box, among those that contain enough of the box.

    These are the windows with at least `min_overlap` of the box (or of the window, if it is shorter). If there is none,
    or if the box is as long as the window, they are those with most of it.

    Args:
        windows: as in `score_boxes`.
        boxes: as in `score_boxes`.
        window_seconds: length of a window, s.
        min_overlap: fraction of a box, 0 to 1.

    Returns:
        Row of the window, shape [Boxes].
    """
    rows = dict(zip(windows.recording_ids, zip(windows.edges[:-1], windows.edges[1:], strict=True), strict=True))
    found = np.empty(len(boxes), np.int64)
    columns = (boxes.recording_id, boxes.species_id, boxes.t_min, boxes.t_max)
    for number, (name, species, t_min, t_max) in enumerate(zip(*columns, strict=True)):
        first, last = rows[name]
        starts = windows.starts[first:last]
        inside = np.minimum(starts + window_seconds, t_max) - np.maximum(starts, t_min)
        enough = max(min_overlap * min(t_max - t_min, window_seconds), 2 * TOLERANCE)
        if enough > inside.max() or is_whole_window(t_max - t_min, window_seconds):
            enough = inside.max()
        around = np.flatnonzero(inside >= enough - TOLERANCE)
        found[number] = first + around[windows.scores[first:last, species][around].argmax()]
    return found
