"""Window scores on disk: one file `<folder>/<recording_id>.npy` per recording, float16, shape [Windows, Species].

The windows overlap: `PER_WINDOW` of them start within the length of a window.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError

# Number of scored windows that start within the length of a window.
PER_WINDOW = 8


def window_hop(length: int) -> int:
    """Return the hop between the starts of scored windows, in frames; windows are `length` frames long."""
    return max(1, length // PER_WINDOW)


def write_window_scores(folder: Path, scores: dict[str, NDArray[np.floating]]) -> None:
    """Write the window scores of each recording_id, shape [Windows, Species], into an empty folder."""
    for name, values in scores.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values.astype(np.float16))


def read_window_scores(path: Path) -> NDArray[np.float16]:
    """Read a file from `write_window_scores`.

    Returns:
        Scores, shape [Windows, Species].

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            scores = np.lib.format.read_array(file, allow_pickle=False)
    # NumPy parses the header as Python source, and lets any of the parser's exceptions through.
    except Exception as error:
        raise InputError(f"{path}: cannot be read: {error}; run `make verify`, then repeat the command") from error
    if scores.dtype != np.float16 or scores.ndim != 2 or not ((scores >= 0) & (scores <= 1)).all():
        raise InputError(
            f"{path}: is not a two-dimensional float16 array of window scores from 0 to 1; run `make verify`, then "
            "repeat the command"
        )
    return scores
