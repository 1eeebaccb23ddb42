"""Pseudo-labels: what models of an earlier round say of recordings that they were not trained on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.inference.window_scores import read_window_scores


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
        """The pseudo-labels of windows that begin on the frames `starts` of recordings, shape [Windows] each.

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


def scored_recordings(folder: Path) -> dict[str, int]:
    """The recordings that the models of a round have scored, by recording_id the fold that they were left out with.

    Args:
        folder: holds `<backbone>/<fold>/<recording_id>.npy`; it has no files where there is no such round.
    """
    found = {}
    for of_fold in sorted(folder.glob("*/*/")):
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
    """Read the pseudo-labels of some recordings: the mean over backbones.

    Args:
        folder: holds `<backbone>/<fold>/<recording_id>.npy`.
        recordings: those that are wanted, at least one, with their folds, as `scored_recordings` gives them.
        starts: tells on which frames the scored windows of a recording begin, in the order of `windows.tile`.
        hop: frames between two of them.
        n_species: number of species.
        weight: in the loss.

    Raises:
        InputError: a file is missing, damaged, or of other windows or species.
    """
    backbones = sorted(path.name for path in folder.glob("*/"))
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
                    f"{path}: has (windows, species) {found.shape}, expected {expected}; run `make verify`, then again"
                )
            several.append(found)
        scores.append(np.mean(several, axis=0, dtype=np.float32).astype(np.float16))
        places[name] = (row, int(begins[-1]))
        row += len(begins)
    return PseudoLabels(np.concatenate(scores), places, hop, weight)
