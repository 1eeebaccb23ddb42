"""Mixup and CutMix of windows, and the resulting labels."""

import numpy as np
from numpy.typing import NDArray


def mix_labels(
    labels: NDArray[np.float32], partner: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mix the labels of windows with those of their partners (mixup).

    The loss of a mixed window is the weighted sum of the losses of both windows. The mixed mask is therefore the
    weighted mean of both masks. The mixed target is the mean of both targets, weighted by weight and mask, so a window
    with mask 0 has no effect.

    Args:
        labels: target and mask, shape [Batch, 2, Species].
        partner: index of each window's partner in the batch, shape [Batch].
        weight: weight of the window itself, 0 to 1; its partner has 1 - `weight`; shape [Batch].

    Returns:
        Target and mask of the mixed windows, shape [Batch, 2, Species].
    """
    own, other = weight[:, None], 1 - weight[:, None]
    target, mask = labels[:, 0], labels[:, 1]
    mixed_mask = own * mask + other * mask[partner]
    both = own * mask * target + other * (mask * target)[partner]
    mixed_target = np.divide(both, mixed_mask, out=np.zeros_like(both), where=mixed_mask > 0)
    return np.stack([mixed_target, mixed_mask], axis=1)


def union(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Combine the labels of windows that are joined from two parts (CutMix).

    mask * target is the loss weight of presence, mask * (1 - target) the loss weight of absence. A species is present
    in the window if it is in either part, so presence gets the larger of the two weights. It is absent only if it is
    in neither part, so absence gets the smaller one: if one part has mask 0, the window is never labelled negative.

    Args:
        one: target and mask of one part, shape [Windows, 2, Species].
        other: target and mask of the other part, the same shape.

    Returns:
        Target and mask, shape [Windows, 2, Species].
    """
    (target, other_target), (mask, other_mask) = zip(one.swapaxes(0, 1), other.swapaxes(0, 1), strict=True)
    present = np.maximum(mask * target, other_mask * other_target)
    absent = np.minimum(mask * (1 - target), other_mask * (1 - other_target))
    united = present + absent
    return np.stack([np.divide(present, united, out=np.zeros_like(united), where=united > 0), united], axis=1)


def draw_cuts(probability: float, n_frames: int, n_windows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the frames that windows keep in CutMix along time (after Yun et al. 2019, arXiv:1905.04899).

    Args:
        probability: probability that a window is cut.
        n_frames: frames in a window.
        n_windows: number of windows.
        rng: random generator.

    Returns:
        Start and exclusive end of the frames that each window keeps, shape [Windows, 2]: the frames before or after
        its cut, or all frames if it is not cut.
    """
    cut = 1 + (rng.random(n_windows) * (n_frames - 1)).astype(int)
    begins = np.where(rng.random(n_windows) < 0.5, 0, cut)
    kept = np.stack([begins, np.where(begins > 0, n_frames, cut)], axis=1)
    return np.where(rng.random((n_windows, 1)) < probability, kept, [0, n_frames])


def rest(kept: NDArray[np.int64], n_frames: int) -> NDArray[np.int64]:
    """Start and end of the frames that windows do not keep, shape [Windows, 2]; both are equal if there are none."""
    begins, ends = kept.T
    return np.where(kept[:, :1] > 0, np.stack([0 * begins, begins], 1), np.stack([ends, 0 * ends + n_frames], 1))


def before(n_windows: int, batch_size: int) -> NDArray[np.int64]:
    """For each window, the index of the window that replaces the frames it does not keep, shape [Windows].

    It is the previous window in the batch; for the first window of a batch, the last one.
    """
    numbers = np.arange(n_windows)
    return np.concatenate([np.roll(batch, 1) for batch in np.split(numbers, numbers[batch_size::batch_size])])


def join_windows(windows: NDArray[np.int16], kept: NDArray[np.int64]) -> NDArray[np.int16]:
    """Replace the frames that each window does not keep by those of the previous one: (Windows, Frames, Mels)."""
    frame = np.arange(windows.shape[1])
    own = (frame >= kept[:, :1]) & (frame < kept[:, 1:])
    return np.where(own[:, :, None], windows, np.roll(windows, 1, axis=0))
