"""Windows that are mixed or joined with each other, and their labels."""

import numpy as np
from numpy.typing import NDArray


def mix_labels(
    labels: NDArray[np.float32], partner: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The labels of windows that are mixed with partners, each part by its weight.

    The loss of a mixed window is that of both its parts, each by its weight: mask is the weighted mean of both, and
    target the mean of both weighed by their masks, so that a part with mask 0 has no effect.

    Args:
        labels: target and mask, shape [Batch, 2, Species].
        partner: row of each window's partner, shape [Batch].
        weight: of the window's own part, shape [Batch].

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
    """The labels of windows of two parts that are both heard.

    Mask x target is the weight in the loss of the species being present, mask x (1 - target) that of its being absent.
    A species is present in the window if it is in either part, so presence gets the larger weight of the two. It is
    absent only if it is in neither, so absence gets the smaller one: where a part knows nothing (mask 0), the window is
    never labelled negative.

    Args:
        one: target and mask of one part, shape [Windows, 2, Species].
        other: of the other part.

    Returns:
        Target and mask, shape [Windows, 2, Species].
    """
    (target, other_target), (mask, other_mask) = zip(one.swapaxes(0, 1), other.swapaxes(0, 1), strict=True)
    present = np.maximum(mask * target, other_mask * other_target)
    absent = np.minimum(mask * (1 - target), other_mask * (1 - other_target))
    united = present + absent
    return np.stack([np.divide(present, united, out=np.zeros_like(united), where=united > 0), united], axis=1)


def draw_cuts(probability: float, n_frames: int, n_windows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw what is left of windows in time CutMix (after Yun et al. 2019, arXiv:1905.04899).

    Args:
        probability: of a window to be cut.
        n_frames: frames of a window.
        n_windows: number of windows.
        rng: draws them.

    Returns:
        Begin and end of the frames that each window keeps, shape [Windows, 2]: those before its cut or those after it,
        or all.
    """
    cut = 1 + (rng.random(n_windows) * (n_frames - 1)).astype(int)
    begins = np.where(rng.random(n_windows) < 0.5, 0, cut)
    kept = np.stack([begins, np.where(begins > 0, n_frames, cut)], axis=1)
    return np.where(rng.random((n_windows, 1)) < probability, kept, [0, n_frames])


def rest(kept: NDArray[np.int64], n_frames: int) -> NDArray[np.int64]:
    """Begin and end of the frames that windows do not keep, shape [Windows, 2]; the same number twice for none."""
    begins, ends = kept.T
    return np.where(kept[:, :1] > 0, np.stack([0 * begins, begins], 1), np.stack([ends, 0 * ends + n_frames], 1))


def before(n_windows: int, batch_size: int) -> NDArray[np.int64]:
    """The numbers of the windows whose frames fill what others do not keep, shape [Windows].

    It is the one before each in its batch, and for a batch's first one the last.
    """
    numbers = np.arange(n_windows)
    return np.concatenate([np.roll(batch, 1) for batch in np.split(numbers, numbers[batch_size::batch_size])])


def join_windows(windows: NDArray[np.float16], kept: NDArray[np.int64]) -> NDArray[np.float16]:
    """The windows of a batch, (Windows, Frames, Mels), what each does not keep being that of the one before it."""
    frame = np.arange(windows.shape[1])
    own = (frame >= kept[:, :1]) & (frame < kept[:, 1:])
    return np.where(own[:, :, None], windows, np.roll(windows, 1, axis=0))
