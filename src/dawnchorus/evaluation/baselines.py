"""Baselines: submissions that know nothing of the recordings."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from dawnchorus.evaluation.clip_metrics import Precisions, Truth


def random_precision(positives: int, total: int) -> float:
    """Expected average precision of a random order.

    With k positives among n, one that stands at rank r has (r - 1)(k - 1) / (n - 1) others above it on average:
    1/n sum over r of (1 + (r - 1)(k - 1) / (n - 1)) / r.
    """
    rank = np.arange(1, total + 1)
    others = (rank - 1) * (positives - 1) / max(1, total - 1)
    return float(np.mean((1 + others) / rank))


def constant_scores(truth: Truth) -> NDArray[np.float64]:
    """A submission that ranks species alike in every recording, by their true prevalence.

    Of two that are equally common the later one ranks higher, for ties would all count against it.

    Args:
        truth: which species call, shape [Recordings, Species].

    Returns:
        The part of the species that a species ranks above, in the shape of `truth`.
    """
    ranks = rankdata(truth.mean(axis=0), method="ordinal") - 1
    return np.broadcast_to(ranks / len(ranks), truth.shape)


def constant_precisions(truth: Truth, mask: Truth) -> Precisions:
    """The precisions of `constant_scores`."""
    return Precisions.of_scores(truth, constant_scores(truth), mask)


def random_precisions(truth: Truth, mask: Truth) -> Precisions:
    """The expected precisions of random scores, by formula; a recording's are spread evenly over its labels."""
    counts, rows = np.unique(truth.sum(axis=1), return_inverse=True)
    by_recording = np.array([int(count) * random_precision(int(count), truth.shape[1]) for count in counts])[rows]
    usable = (mask & truth).any(axis=0) & (mask & ~truth).any(axis=0)
    by_species = [
        random_precision(int((truth & mask)[:, species].sum()), int(mask[:, species].sum()))
        for species in np.flatnonzero(usable)
    ]
    return Precisions(by_recording, np.array(by_species))
