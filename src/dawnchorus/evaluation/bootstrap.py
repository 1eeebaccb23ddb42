"""Bootstrap over recordings, or over groups of similar recordings."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Maximum number of weights (resamplings times recordings) in memory: 80 MB as floats.
MOST_WEIGHTS = 10_000_000


def number_groups(groups: pd.Series, recording_ids: Sequence[str]) -> NDArray[np.int64]:
    """Number the groups of recordings.

    Args:
        groups: group of each recording, indexed by recording_id. A recording with an empty group (missing or "") is a
            group of its own.
        recording_ids: recordings whose groups to number.

    Returns:
        Group numbers, equal for recordings of one group, shape [Recordings].

    Raises:
        KeyError: a recording is not in `groups`.
    """
    declared = groups.loc[list(recording_ids)]
    numbers = pd.factorize(declared)[0]
    alone = (declared.isna() | (declared == "")).to_numpy()
    numbers[alone] = len(numbers) + np.arange(alone.sum())
    return numbers


def draw_recordings(
    n_recordings: int,
    samples: int,
    at_once: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None = None,
) -> Iterator[NDArray[np.int32]]:
    """Draw bootstrap resamplings of recordings, or of groups with all their recordings.

    Each resampling draws with replacement, as many recordings or groups as there are.

    Args:
        n_recordings: number of recordings.
        samples: number of resamplings.
        at_once: number of resamplings in memory. The draws do not depend on it.
        rng: random generator.
        groups: group number of each recording, shape [Recordings]; by default each recording is a group.

    Yields:
        How often each recording is drawn, shape [Resamplings, Recordings], with `at_once` resamplings, or fewer in the
        last array.
    """
    names, group_of = (None, None) if groups is None else np.unique(groups, return_inverse=True)
    n_groups = n_recordings if names is None else len(names)
    for done in range(0, samples, at_once):
        drawn = np.empty((min(at_once, samples - done), n_groups), np.int32)
        for counts in drawn:
            # Equivalent to a multinomial draw, in a tenth of the time.
            counts[:] = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        yield drawn if group_of is None else drawn[:, group_of]


def lwlrap_intervals(
    precisions: Sequence[NDArray[np.float64]],
    labels: NDArray[np.integer],
    samples: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None = None,
) -> list[tuple[float, float]]:
    """Compute 95 % intervals of the LWLRAP of submissions: a percentile bootstrap over recordings with true labels.

    All submissions use the same resamplings.

    Args:
        precisions: for each submission, the sum of `label_metrics.ranking_precisions` over the species of each
            recording, shape [Recordings].
        labels: number of true labels of each recording, shape [Recordings].
        samples: number of resamplings.
        rng: random generator.
        groups: group number of each recording, shape [Recordings]; by default each recording is a group.

    Returns:
        Lower and upper end of the interval of each submission.
    """
    used = np.flatnonzero(labels)
    of_submission = [np.stack([precision[used], labels[used]], axis=1) for precision in precisions]
    sums: list[list[NDArray[np.float64]]] = [[] for _ in precisions]
    at_once = max(1, MOST_WEIGHTS // max(1, len(used)))
    for drawn in draw_recordings(len(used), samples, at_once, rng, None if groups is None else groups[used]):
        weights = drawn.astype(float)
        for parts, values in zip(sums, of_submission, strict=True):
            parts.append(weights @ values)
    ends = []
    for parts in sums:
        precision, count = np.concatenate(parts).T
        low, high = np.percentile(precision / count, [2.5, 97.5])
        ends.append((float(low), float(high)))
    return ends
