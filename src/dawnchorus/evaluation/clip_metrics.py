"""Metrics of clip scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_score

from dawnchorus.evaluation.bootstrap import lwlrap_intervals

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
class Precisions:
    """What the figures of a submission are made of.

    Attributes:
        by_recording: the sum of each recording's `ranking_precisions`, shape [Recordings].
        by_species: the `average_precisions`, shape [Species].
    """

    by_recording: NDArray[np.float64]
    by_species: NDArray[np.float64]

    @classmethod
    def of_scores(cls, truth: Truth, scores: Scores, mask: Truth) -> "Precisions":
        """The precisions of scores; `truth`, `scores` and `mask` are those of `average_precisions`."""
        return cls(ranking_precisions(truth, scores).sum(axis=1), average_precisions(truth, scores, mask))


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


def evaluate(
    submissions: dict[str, Precisions],
    truth: Truth,
    samples: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None = None,
) -> dict[str, Evaluation]:
    """All figures of some submissions.

    Args:
        submissions: their precisions by name.
        truth: which species call, shape [Recordings, Species]; at least one does.
        samples: resamplings of the bootstrap; all submissions are resampled alike.
        rng: draws them.
        groups: the number of each recording's group, shape [Recordings]: the bootstrap then draws whole groups. By
            default it draws recordings.

    Returns:
        The evaluation of each submission, by name.
    """
    labels = truth.sum(axis=1)
    intervals = lwlrap_intervals([each.by_recording for each in submissions.values()], labels, samples, rng, groups)
    return {
        name: Evaluation(float(each.by_recording.sum() / labels.sum()), low, high, _mean_of_known(each.by_species))
        for (name, each), (low, high) in zip(submissions.items(), intervals, strict=True)
    }


def _mean_of_known(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(np.mean(known)) if len(known) else float("nan")
