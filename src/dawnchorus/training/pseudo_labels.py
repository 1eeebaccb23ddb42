"""What models of an earlier round say of recordings that they were not trained on: targets of later rounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError

# So many scored windows begin within a window's length.
PER_WINDOW = 8


# Beside the scores of the recordings, <recording_id>.npy.
WEIGHT_FILE = "weight.txt"


def pseudo_label_hop(length: int) -> int:
    """Frames between the starts of two scored windows, which are `length` frames long."""
    return max(1, length // PER_WINDOW)


@dataclass(frozen=True)
class PseudoLabels:
    """Scores of the windows of recordings, and how much they count.

    Attributes:
        scores: of all recordings' windows, one recording after the other, shape [Windows, Species].
        places: by recording_id the row of its first window, and the frame on which its last one begins.
        hop: frames between the starts of two windows.
        weight: in the loss, 0 to 1.
    """

    scores: NDArray[np.float16]
    places: dict[str, tuple[int, int]]
    hop: int
    weight: float

    def of(self, recording_ids: NDArray[np.str_], starts: NDArray[np.integer]) -> NDArray[np.float32]:
        """The targets of windows that begin on the frames `starts` of recordings, shape [Windows] each.

        Returns:
            Shape [Windows, Species].
        """
        first, last = np.array([self.places[name] for name in recording_ids]).T
        return interpolate(self.scores, first, starts, last, self.hop)


def interpolate(
    scores: NDArray[np.floating],
    first: NDArray[np.integer],
    starts: NDArray[np.integer],
    last: NDArray[np.integer],
    hop: int,
) -> NDArray[np.float32]:
    """Scores at any start, linear between those of the two scored windows that begin nearest before and after it.

    Args:
        scores: of windows that begin as `windows.tile` says, recording after recording, shape [Scored, Species].
        first: row of the first window of each one's recording, shape [Windows].
        starts: where each begins, frames from 0 to `last`, shape [Windows].
        last: where the last window of its recording begins, frames, shape [Windows].
        hop: frames between the starts of two scored windows.

    Returns:
        Shape [Windows, Species].
    """
    before = np.minimum(starts // hop, np.maximum(0, last - 1) // hop)
    after = np.minimum(before + 1, -(-last // hop))
    # The last window ends with its recording, by less than a hop after the one before it.
    width = np.minimum((before + 1) * hop, last) - before * hop
    part = ((starts - before * hop) / np.maximum(1, width)).astype(np.float32)[:, None]
    return (1 - part) * scores[first + before].astype(np.float32) + part * scores[first + after].astype(np.float32)


def write_window_scores(folder: Path, scores: dict[str, NDArray[np.floating]]) -> None:
    """Write the scores of recordings' windows, (Windows, Species) each by recording_id, into an empty folder."""
    for name, values in scores.items():
        np.save(folder / f"{name}.npy", values.astype(np.float16))


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


def average(folders: Sequence[Path]) -> dict[str, NDArray[np.floating]]:
    """The means of several models' scores of windows.

    Args:
        folders: one for each model, with the same `<recording_id>.npy`.

    Returns:
        (Windows, Species) by recording_id.

    Raises:
        InputError: a file is missing or damaged, or has another shape than another model's.
    """
    names = sorted({path.stem for folder in folders for path in folder.glob("*.npy")})
    found: dict[str, NDArray[np.floating]] = {}
    for name in names:
        several = [read_window_scores(folder / f"{name}.npy") for folder in folders]
        if len({scores.shape for scores in several}) > 1:
            raise InputError(
                f"{folders[0] / name}.npy: has another shape than another backbone's; run the teach stages again"
            )
        found[name] = np.mean(several, axis=0, dtype=np.float32)
    return found


def write_pseudo_labels(folder: Path, scores: dict[str, NDArray[np.floating]], weight: float) -> None:
    """Write what `read_pseudo_labels` reads into an empty folder."""
    write_window_scores(folder, scores)
    (folder / WEIGHT_FILE).write_text(f"{weight!r}\n")


def read_pseudo_labels(
    folder: Path, recording_ids: Sequence[str], starts: Callable[[str], NDArray[np.int64]], hop: int, n_species: int
) -> PseudoLabels | None:
    """Read the targets of some recordings.

    Args:
        folder: `<recording_id>.npy` and the weight, or empty where there is no teacher.
        recording_ids: those that are wanted.
        starts: tells on which frames the scored windows of a recording begin, in the order of `windows.tile`.
        hop: frames between two of them.
        n_species: number of species.

    Returns:
        None where the folder is empty.

    Raises:
        InputError: a file is missing, damaged, or of other windows or species.
    """
    if not any(folder.glob("[!.]*")):
        return None
    try:
        weight = float((folder / WEIGHT_FILE).read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / WEIGHT_FILE}: cannot be read: {error}; run `make verify`, then again") from error
    scores, places, row = [], {}, 0
    for name in recording_ids:
        found = read_window_scores(folder / f"{name}.npy")
        begins = starts(name)
        expected = (len(begins), n_species)
        if found.shape != expected:
            raise InputError(
                f"{folder / name}.npy: has (windows, species) {found.shape}, expected {expected}; run `make verify`, "
                "then again"
            )
        scores.append(found)
        places[name] = (row, int(begins[-1]))
        row += len(found)
    return PseudoLabels(np.concatenate(scores), places, hop, weight)
