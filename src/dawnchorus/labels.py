"""Labels with their mask: what the annotations say of a window, and what they do not."""

import numpy as np
from numpy.typing import NDArray


def window_labels(
    boxes: NDArray[np.floating],
    species_ids: NDArray[np.integer],
    is_tp: NDArray[np.bool_],
    start: float,
    seconds: float,
    n_species: int,
    min_overlap: float,
    unlabelled_weight: float,
    band: tuple[float, float] | None = None,
    tolerance: float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Target and mask of one window of a recording.

    A TP box of which at least `min_overlap` lies in the window: target 1, known 1. An FP box, likewise: target 0,
    known 1. TP wins over FP. A TP box that is in by less: known 0. Every other species: target 0, known
    `unlabelled_weight`. A box longer than the window counts as if it were as long as the window.

    Args:
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz) of the recording's annotations, shape [Annotations, 4].
        species_ids: shape [Annotations].
        is_tp: whether each is a TP box (else FP), shape [Annotations].
        start: begin of the window, s.
        seconds: length of the window, s.
        n_species: number of species.
        min_overlap: part of a box, 0 to 1; at 0 any overlap is enough.
        unlabelled_weight: 0 to 1.
        band: lowest and highest frequency in the window, Hz; a box outside of it is not in the window by enough.
        tolerance: a box that lies in the window by so much too little, s, still counts.

    Returns:
        target and known, each with shape [Species].
    """
    begin, low, end, high = boxes.T
    inside = np.minimum(end, start + seconds) - np.maximum(begin, start)
    needed = min_overlap * np.minimum(end - begin, seconds)
    # A microsecond more, for boxes that lie in by exactly enough.
    enough = (inside > 0) & (inside >= needed - tolerance - 1e-6)
    if band is not None:
        enough &= (high > band[0]) & (low < band[1])
    target = np.zeros(n_species, np.float32)
    known = np.full(n_species, unlabelled_weight, np.float32)
    known[species_ids[~is_tp & enough]] = 1
    known[species_ids[is_tp & ~enough & (inside > 0)]] = 0
    known[species_ids[is_tp & enough]] = 1
    target[species_ids[is_tp & enough]] = 1
    return target, known
