"""Scores of all windows of recordings, densely placed: `<folder>/<recording_id>.npy`, [Windows, Species], float16."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError

# So many scored windows begin within a window's length.
PER_WINDOW = 8


def window_hop(length: int) -> int:
    """Frames between the starts of two scored windows, which are `length` frames long."""
    return max(1, length // PER_WINDOW)


def write_window_scores(folder: Path, scores: dict[str, NDArray[np.floating]]) -> None:
    """Write the scores of recordings' windows, (Windows, Species) each by recording_id, into an empty folder."""
    for name, values in scores.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values.astype(np.float16))


def read_window_scores(path: Path) -> NDArray[np.float16]:
    """Read what `write_window_scores` wrote of a recording: (Windows, Species).

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            scores = np.lib.format.read_array(file, allow_pickle=False)
    # NumPy reads the heading as Python's source, with whatever its parser raises.
    except Exception as error:
        raise InputError(f"{path}: cannot be read: {error}; run `make verify`, then again") from error
    if scores.dtype != np.float16 or scores.ndim != 2 or not ((scores >= 0) & (scores <= 1)).all():
        raise InputError(f"{path}: holds no scores of windows from 0 to 1 in float16; run `make verify`, then again")
    return scores
