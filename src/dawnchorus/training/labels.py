"""Labels with their mask: what the annotations say of a window, and what they do not."""

import numpy as np
from numpy.typing import NDArray


def window_labels(
    boxes: NDArray[np.floating],
    species_ids: NDArray[np.integer],
    is_tp: NDArray[np.bool_],
    window: NDArray[np.integer],
    starts: NDArray[np.floating],
    seconds: float,
    n_species: int,
    min_overlap: float,
    weak_negative_weight: float,
    band: tuple[float, float] | None = None,
    tolerance: float = 0.0,
    ends: NDArray[np.floating] | None = None,
    pseudo_labels: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Target and mask of windows.

    A TP box of which at least `min_overlap` lies in the window: target 1, mask 1. An FP box, likewise: target 0,
    mask 1. TP wins over FP. A TP box that is in by less: mask 0. Every other species: target `pseudo_labels`,
    mask `weak_negative_weight`. A box longer than the window counts as if it were as long as the window.

    Args:
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz) of annotations, shape [Annotations, 4]; for each window
            those of its recording.
        species_ids: shape [Annotations].
        is_tp: whether each is a TP box (else FP), shape [Annotations].
        window: number of the window that each is looked for in, shape [Annotations].
        starts: begin of each window, s, shape [Windows].
        seconds: length of a window, s.
        n_species: number of species.
        min_overlap: part of a box, 0 to 1; at 0 any overlap is enough.
        weak_negative_weight: 0 to 1.
        band: lowest and highest frequency in the windows, Hz; a box outside of it is not in the window by enough.
        tolerance: a box that lies in the window by so much too little, s, still counts.
        ends: end of what is left of each window, s, where it was cut; shape [Windows].
        pseudo_labels: 0 to 1, shape [Windows, Species]; by default 0.

    Returns:
        target and mask, each with shape [Windows, Species].
    """
    begin, low, end, high = boxes.T
    last = (starts + seconds if ends is None else ends)[window]
    inside = np.minimum(end, last) - np.maximum(begin, starts[window])
    needed = min_overlap * np.minimum(end - begin, seconds)
    # A microsecond more, for boxes that lie in by exactly enough.
    enough = (inside > 0) & (inside >= needed - tolerance - 1e-6)
    if band is not None:
        enough &= (high > band[0]) & (low < band[1])
    target = np.zeros((len(starts), n_species), np.float32) if pseudo_labels is None else pseudo_labels.copy()
    mask = np.full((len(starts), n_species), weak_negative_weight, np.float32)
    for chosen, present, weight in (
        (~is_tp & enough, 0, 1),
        (is_tp & ~enough & (inside > 0), 0, 0),
        (is_tp & enough, 1, 1),
    ):
        target[window[chosen], species_ids[chosen]] = present
        mask[window[chosen], species_ids[chosen]] = weight
    return target, mask
