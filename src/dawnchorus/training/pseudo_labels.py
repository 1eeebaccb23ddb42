"""Pseudo-labels: scores by models of an earlier round for recordings that they were not trained on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.inference.window_scores import read_window_scores


@dataclass(frozen=True)
class PseudoLabels:
    """Window scores of recordings, and their weight in the loss.

    Attributes:
        scores: scores of the windows of all recordings, recording by recording, shape [Windows, Species].
        places: for each recording_id, the row of its first window and the start of its last window in frames.
        hop: frames between the starts of consecutive windows.
        weight: weight in the loss, 0 to 1.
    """

    scores: NDArray[np.float16]
    places: dict[str, tuple[int, int]]
    hop: int
    weight: float

    def of(self, recording_ids: NDArray[np.str_], starts: NDArray[np.integer]) -> NDArray[np.float32]:
        """Interpolate the pseudo-labels of windows.

        Args:
            recording_ids: recording of each window, shape [Windows].
            starts: first frame of each window, shape [Windows].

        Returns:
            Pseudo-labels, shape [Windows, Species].
        """
        first, last = np.array([self.places[name] for name in recording_ids]).T
        return interpolate(self.scores, first, starts, last, self.hop)


@dataclass(frozen=True)
class Unlabelled:
    """Training recordings without annotations. They are used with pseudo-labels.

    Attributes:
        folders: folders of their spectrograms.
        recording_ids: ids of the recordings to train on.
    """

    folders: list[Path]
    recording_ids: list[str]


def interpolate(
    scores: NDArray[np.floating],
    first: NDArray[np.integer],
    starts: NDArray[np.integer],
    last: NDArray[np.integer],
    hop: int,
) -> NDArray[np.float32]:
    """Interpolate window scores linearly between the nearest scored windows before and after each start.

    Args:
        scores: scores of the windows that `windows.tile` places, recording by recording, shape [Scored, Species].
        first: row in `scores` of the first window of each window's recording, shape [Windows].
        starts: first frame of each window, from 0 to `last`, shape [Windows].
        last: first frame of the last scored window of each window's recording, shape [Windows].
        hop: frames between the starts of consecutive scored windows.

    Returns:
        Interpolated scores, shape [Windows, Species].
    """
    before = np.minimum(starts // hop, np.maximum(0, last - 1) // hop)
    after = np.minimum(before + 1, -(-last // hop))
    # The last window ends with the recording, so it may start less than a hop after the previous one.
    width = np.minimum((before + 1) * hop, last) - before * hop
    part = ((starts - before * hop) / np.maximum(1, width)).astype(np.float32)[:, None]
    return (1 - part) * scores[first + before].astype(np.float32) + part * scores[first + after].astype(np.float32)


def scored_recordings(folder: Path) -> dict[str, int]:
    """List the recordings that the models of a round scored.

    Args:
        folder: contains `<backbone>/<fold>/<recording_id>.npy`; it has no files if there is no such round.

    Returns:
        For each recording_id, the left-out fold of the models that scored it.
    """
    found = {}
    for of_fold in sorted(folder.glob("[!.]*/[!.]*/")):
        for path in of_fold.rglob("*.npy"):
            found[path.relative_to(of_fold).with_suffix("").as_posix()] = int(of_fold.name)
    return dict(sorted(found.items()))


def read_pseudo_labels(
    folder: Path,
    recordings: dict[str, int],
    starts: Callable[[str], NDArray[np.int64]],
    hop: int,
    n_species: int,
    weight: float,
) -> PseudoLabels:
    """Read the pseudo-labels of recordings: the mean of the window scores over backbones.

    Args:
        folder: contains `<backbone>/<fold>/<recording_id>.npy`.
        recordings: the recordings to read, at least one, with their folds as in `scored_recordings`.
        starts: returns the first frames of a recording's scored windows, in the order of `windows.tile`.
        hop: frames between the starts of consecutive scored windows.
        n_species: number of species.
        weight: weight in the loss, 0 to 1.

    Raises:
        InputError: a file is missing or damaged, or has another number of windows or species.
    """
    backbones = sorted({path.parent.name for path in folder.glob("[!.]*/[!.]*/")})
    scores, places, row = [], {}, 0
    for name, fold in recordings.items():
        begins = starts(name)
        several = []
        for backbone in backbones:
            path = folder / backbone / str(fold) / f"{name}.npy"
            found = read_window_scores(path)
            expected = (len(begins), n_species)
            if found.shape != expected:
                raise InputError(
                    f"{path}: has (windows, species) {found.shape}, expected {expected}; "
                    "run `make verify`, then repeat the command"
                )
            several.append(found)
        scores.append(np.mean(several, axis=0, dtype=np.float32).astype(np.float16))
        places[name] = (row, int(begins[-1]))
        row += len(begins)
    return PseudoLabels(np.concatenate(scores), places, hop, weight)
