"""Metrics of clip scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_score

from dawnchorus.evaluation.bootstrap import bootstrap_interval

Truth = NDArray[np.bool_]


Scores = NDArray[np.floating]


def ranking_precisions(truth: Truth, scores: Scores) -> NDArray[np.float64]:
    """Precision at the rank of each true label, in its recording's ranking of species.

    Ties count as ranked the wrong way round, as in scikit-learn.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: shape [Recordings, Species].

    Returns:
        Precision where `truth` holds, else 0, shape [Recordings, Species].
    """
    precisions = np.zeros(truth.shape)
    for recording in np.flatnonzero(truth.any(axis=1)):
        row, labels = scores[recording], truth[recording]
        above = row[None, :] >= row[labels][:, None]
        precisions[recording, labels] = (above & labels).sum(axis=1) / above.sum(axis=1)
    return precisions


def lwlrap(truth: Truth, scores: Scores) -> float:
    """Label-weighted label-ranking average precision: the mean of `ranking_precisions` over all true labels.

    This is scikit-learn's `label_ranking_average_precision_score` with each recording weighed by its number of labels.
    NaN where nothing is true.
    """
    return float(ranking_precisions(truth, scores).sum() / truth.sum()) if truth.any() else float("nan")


def average_precisions(truth: Truth, scores: Scores, mask: Truth) -> NDArray[np.float64]:
    """Average precision of each species over the recordings where its truth is known.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: shape [Recordings, Species].
        mask: where `truth` is known, shape [Recordings, Species].

    Returns:
        Shape [Species]; NaN for a species that is nowhere known to call, or nowhere known not to.
    """
    result = np.full(truth.shape[1], np.nan)
    for species in range(truth.shape[1]):
        rows = mask[:, species]
        if truth[rows, species].any() and not truth[rows, species].all():
            result[species] = average_precision_score(truth[rows, species], scores[rows, species])
    return result


def precision(truth: Truth, scores: Scores, mask: Truth) -> float:
    """Part of the known labels that are true among those that score at least 0.5; 0 where none does.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: probabilities, shape [Recordings, Species].
        mask: where `truth` is known, shape [Recordings, Species].
    """
    return float(precision_score(truth[mask], scores[mask] >= 0.5, zero_division=0))


@dataclass(frozen=True)
class Evaluation:
    """Figures of one submission.

    Attributes:
        lwlrap: over all known labels.
        lwlrap_low: lower end of its bootstrap 95 % interval.
        lwlrap_high: upper end.
        macro_average_precision: mean of the species' average precisions, each over the recordings where it is known;
            NaN where no species is known to call in one recording and not to in another.
    """

    lwlrap: float
    lwlrap_low: float
    lwlrap_high: float
    macro_average_precision: float


def evaluate(truth: Truth, scores: Scores, mask: Truth, resamples: NDArray[np.float64]) -> Evaluation:
    """All figures of a submission.

    Args:
        truth: which species call, shape [Recordings, Species]; somewhere one does.
        scores: shape [Recordings, Species].
        mask: where `truth` is known, shape [Recordings, Species].
        resamples: of the recordings, as `resample` gives them.
    """
    precision = ranking_precisions(truth, scores).sum(axis=1)
    return evaluation_of(precision, truth, average_precisions(truth, scores, mask), resamples)


def evaluation_of(
    precision: NDArray[np.float64],
    truth: Truth,
    by_species: NDArray[np.float64],
    resamples: NDArray[np.float64],
) -> Evaluation:
    """The figures that follow from each recording's summed precision and each species' average precision."""
    labels = truth.sum(axis=1)
    interval = bootstrap_interval(precision, labels, resamples)
    usable = by_species[~np.isnan(by_species)]
    return Evaluation(
        float(precision.sum() / labels.sum()), *interval, float(np.mean(usable)) if len(usable) else float("nan")
    )
