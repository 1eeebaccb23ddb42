"""Labels and label masks of windows, from annotations."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.inference.box_scores import is_whole_window


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
    is_uncertain: NDArray[np.bool_] | None = None,
    is_complete: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the target and the mask of each species in each window.

    The first rule that applies decides:

    1. At least `min_overlap` of a TP box of the species is in the window: target 1, mask 1.
    2. A smaller part of a TP box is in the window: target 0, mask 0.
    3. At least `min_overlap` of an FP box is in the window: target 0, mask 1.
    4. Any part of an uncertain box is in the window: target 0, mask 0.
    5. All calls of the species in the recording are labelled: target 0, mask 1.
    6. Otherwise: target from `pseudo_labels`, mask `weak_negative_weight`.

    A box that is longer than the window counts as if it had the window's length.

    Args:
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz) of annotations, shape [Annotations, 4]. It has the boxes
            of each window's recording; boxes of a recording with several windows are repeated.
        species_ids: species of each box, shape [Annotations].
        is_tp: whether each box is a TP box (otherwise an FP box or an uncertain one), shape [Annotations].
        window: index of the window that each box is compared with, shape [Annotations].
        starts: start of each window, s, shape [Windows].
        seconds: length of a window, s.
        n_species: number of species.
        min_overlap: fraction of a box, 0 to 1; at 0 any overlap is enough.
        weak_negative_weight: mask of species without an annotation, 0 to 1.
        band: lowest and highest frequency in the windows, Hz. A box outside this band counts as less than
            `min_overlap`.
        tolerance: how much shorter the overlap may be than required, s.
        ends: end of the remaining part of each window, s, shape [Windows]; by default the windows are not cut.
        pseudo_labels: targets of species without an annotation, 0 to 1, shape [Windows, Species]; by default 0.
        is_uncertain: whether each box is an uncertain one, shape [Annotations]; by default none is.
        is_complete: whether all calls of a species in the window's recording are labelled, shape [Windows, Species]; by
            default they are of no species.

    Returns:
        target and mask, each of shape [Windows, Species].
    """
    begin, low, end, high = boxes.T
    last = (starts + seconds if ends is None else ends)[window]
    inside = np.minimum(end, last) - np.maximum(begin, starts[window])
    needed = min_overlap * np.minimum(end - begin, seconds)
    # Allow a microsecond for rounding errors where the overlap is exactly as long as required.
    enough = (inside > 0) & (inside >= needed - tolerance - 1e-6)
    if band is not None:
        enough &= (high > band[0]) & (low < band[1])
    target = np.zeros((len(starts), n_species), np.float32) if pseudo_labels is None else pseudo_labels.copy()
    mask = np.full((len(starts), n_species), weak_negative_weight, np.float32)
    if is_complete is not None:
        target[is_complete], mask[is_complete] = 0, 1
    if is_uncertain is None:
        is_uncertain = np.zeros_like(is_tp)
    for chosen, present, weight in (
        (is_uncertain & (inside > 0), 0, 0),
        (~is_tp & ~is_uncertain & enough, 0, 1),
        (is_tp & ~enough & (inside > 0), 0, 0),
        (is_tp & enough, 1, 1),
    ):
        target[window[chosen], species_ids[chosen]] = present
        mask[window[chosen], species_ids[chosen]] = weight
    return target, mask


def pair_with_windows(
    recordings: NDArray[np.integer],
    begin: NDArray[np.floating],
    end: NDArray[np.floating],
    edges: NDArray[np.integer],
    starts: NDArray[np.floating],
    seconds: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each box with the windows of its recording that have a part of it, for `window_labels`.

    Args:
        recordings: index of each box's recording, shape [Boxes].
        begin: start of each box, s, shape [Boxes].
        end: end of each box, s, shape [Boxes].
        edges: the row of each recording's first window, and the number of all windows, shape [Recordings + 1].
        starts: start of each window, s, ascending in each recording, shape [Windows].
        seconds: length of a window, s.

    Returns:
        The box and the window of each pair, shape [Pairs] each.
    """
    first, last = np.empty((2, len(recordings)), np.int64)
    order = np.argsort(recordings, kind="stable")
    bounds = np.searchsorted(recordings[order], np.arange(len(edges)))
    for number in np.unique(recordings):
        boxes = order[bounds[number] : bounds[number + 1]]
        own = starts[edges[number] : edges[number + 1]]
        first[boxes] = edges[number] + np.searchsorted(own, begin[boxes] - seconds, side="right")
        last[boxes] = edges[number] + np.searchsorted(own, end[boxes], side="left")
    counts = np.maximum(last - first, 0)
    box = np.repeat(np.arange(len(recordings)), counts)
    inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return box, first[box] + inner


def in_other_window(
    box: NDArray[np.integer],
    inside: NDArray[np.floating],
    lengths: NDArray[np.floating],
    seconds: float,
    tolerance: float,
) -> NDArray[np.bool_]:
    """Whether a box is as long as a window, and another window of its recording has more of it.

    Somebody listened to that window, and the call is anywhere in it. So the part in this one may be without the call.

    Args:
        box: the box of each pair from `pair_with_windows`, shape [Pairs].
        inside: how much of the box is in the window, s, shape [Pairs].
        lengths: length of the box, s, shape [Pairs].
        seconds: length of a window, s.
        tolerance: how much less a window may have and still be the one that was listened to, s.

    Returns:
        Shape [Pairs].
    """
    most = np.full(box.max(initial=-1) + 1, -np.inf)
    np.maximum.at(most, box, inside)
    return is_whole_window(lengths, seconds) & (inside < most[box] - tolerance)
