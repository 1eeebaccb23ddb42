"""Baselines: submissions that do not use the recordings."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.clip_metrics import Precisions
from dawnchorus.evaluation.label_metrics import Truth


def random_precision(positives: int, total: int) -> float:
    """Compute the expected average precision of a random ranking.

    If k of n items are positive, a positive at rank r has (r - 1)(k - 1) / (n - 1) other positives above it on average.
    The expected average precision is therefore the mean over all ranks r of (1 + (r - 1)(k - 1) / (n - 1)) / r.

    Args:
        positives: number of positives k, at least 1.
        total: number of items n, at least k.
    """
    rank = np.arange(1, total + 1)
    others = (rank - 1) * (positives - 1) / max(1, total - 1)
    return float(np.mean((1 + others) / rank))


def constant_scores(truth: Truth) -> NDArray[np.float64]:
    """Rank the species by their true prevalence, with the same scores in every recording.

    Of two equally common species, the later one ranks higher. Tied scores would lower the result, because metrics rank
    ties in the worst order.

    Args:
        truth: which species call, shape [Recordings, Species].

    Returns:
        Fraction of the species that each species ranks above, shape [Recordings, Species].
    """
    ranks = np.argsort(np.argsort(truth.mean(axis=0), kind="stable"))
    return np.broadcast_to(ranks / len(ranks), truth.shape)


def constant_precisions(truth: Truth, mask: Truth) -> Precisions:
    """Compute the precisions of `constant_scores`; the arguments are those of `clip_metrics.average_precisions`."""
    return Precisions.of_scores(truth, constant_scores(truth), mask)


def random_precisions(truth: Truth, mask: Truth) -> Precisions:
    """Compute the expected precisions of random scores with `random_precision`.

    The arguments are those of `clip_metrics.average_precisions`. Species without a positive or a negative in `mask` are
    left out.
    """
    counts, rows = np.unique(truth.sum(axis=1), return_inverse=True)
    by_recording = np.array([int(count) * random_precision(int(count), truth.shape[1]) for count in counts])[rows]
    usable = (mask & truth).any(axis=0) & (mask & ~truth).any(axis=0)
    by_species = [
        random_precision(int((truth & mask)[:, species].sum()), int(mask[:, species].sum()))
        for species in np.flatnonzero(usable)
    ]
    return Precisions(by_recording, np.array(by_species))
