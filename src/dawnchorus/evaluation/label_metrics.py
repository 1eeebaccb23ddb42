"""Metrics over the labels of all species, which training watches, too.

They are apart from other metrics, so that a new one retrains nothing.
"""

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.bool_]
Scores = NDArray[np.floating]


def ranking_precisions(truth: Truth, scores: Scores) -> NDArray[np.float64]:
    """Compute the precision at the rank of each true label, in the ranking of the species of its recording.

    Ties are ranked in the worst order, as in scikit-learn.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].

    Returns:
        Precision where `truth` is true, otherwise 0, shape [Recordings, Species].
    """
    precisions = np.zeros(truth.shape)
    for recording in np.flatnonzero(truth.any(axis=1)):
        row, labels = scores[recording], truth[recording]
        above = row[None, :] >= row[labels][:, None]
        precisions[recording, labels] = (above & labels).sum(axis=1) / above.sum(axis=1)
    return precisions


def lwlrap(truth: Truth, scores: Scores) -> float:
    """Compute label-weighted label-ranking average precision: the mean of `ranking_precisions` over all true labels.

    It equals scikit-learn's `label_ranking_average_precision_score` with `sample_weight` set to the number of true
    labels of each recording.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].

    Returns:
        LWLRAP; NaN if there is no true label.
    """
    return float(ranking_precisions(truth, scores).sum() / truth.sum()) if truth.any() else float("nan")


def precision(truth: Truth, scores: Scores, mask: Truth) -> float:
    """Compute precision at a threshold of 0.5: the fraction of true labels among those with a score of at least 0.5.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: probabilities, shape [Recordings, Species].
        mask: label mask: where `truth` is known, shape [Recordings, Species].

    Returns:
        Precision over all labels in `mask`; 0 if no score reaches the threshold.
    """
    found = truth[mask][scores[mask] >= 0.5]
    return float(found.mean()) if len(found) else 0.0
