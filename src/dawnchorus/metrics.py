"""Metrics of clip scores, and what they would be for submissions that know nothing of the recordings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, precision_score

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


def draw_recordings(n_recordings: int, samples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """How often each recording is drawn, for a bootstrap over recordings: shape [Samples, Recordings]."""
    drawn = np.empty((samples, n_recordings), np.int32)
    for counts in drawn:
        # A tenth of the time of a multinomial draw, which this is.
        counts[:] = np.bincount(rng.integers(n_recordings, size=n_recordings), minlength=n_recordings)
    return drawn


def resample(truth: Truth, samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each recording with labels is drawn, for a bootstrap over recordings.

    Args:
        truth: which species call, shape [Recordings, Species].
        samples: number of resamplings.
        rng: draws them.

    Returns:
        Shape [Samples, Recordings with labels]; floats, for matrix products.
    """
    return draw_recordings(int(truth.any(axis=1).sum()), samples, rng).astype(float)


def bootstrap_interval(
    precision: NDArray[np.float64], labels: NDArray[np.integer], resamples: NDArray[np.float64]
) -> tuple[float, float]:
    """The 95 % interval of LWLRAP over resampled recordings (percentile bootstrap).

    Args:
        precision: sum of `ranking_precisions` of each recording, shape [Recordings].
        labels: its number of true labels, shape [Recordings].
        resamples: what `resample` gives.
    """
    used = np.flatnonzero(labels)
    sums = resamples @ np.stack([precision[used], labels[used]], axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
    return float(low), float(high)


def average_precisions(truth: Truth, scores: Scores, known: Truth) -> NDArray[np.float64]:
    """Average precision of each species over the recordings where its truth is known.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: shape [Recordings, Species].
        known: where `truth` is known, shape [Recordings, Species].

    Returns:
        Shape [Species]; NaN for a species that is nowhere known to call, or nowhere known not to.
    """
    result = np.full(truth.shape[1], np.nan)
    for species in range(truth.shape[1]):
        rows = known[:, species]
        if truth[rows, species].any() and not truth[rows, species].all():
            result[species] = average_precision_score(truth[rows, species], scores[rows, species])
    return result


def precision(truth: Truth, scores: Scores, known: Truth) -> float:
    """Part of the known answers that are true among those that score at least 0.5; 0 where none does.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: probabilities, shape [Recordings, Species].
        known: where `truth` is known, shape [Recordings, Species].
    """
    return float(precision_score(truth[known], scores[known] >= 0.5, zero_division=0))


def random_precision(positives: int, total: int) -> float:
    """Expected average precision of a random order.

    With k positives among n, one that stands at rank r has (r - 1)(k - 1) / (n - 1) others above it on average:
    1/n sum over r of (1 + (r - 1)(k - 1) / (n - 1)) / r.
    """
    rank = np.arange(1, total + 1)
    others = (rank - 1) * (positives - 1) / max(1, total - 1)
    return float(np.mean((1 + others) / rank))


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


def evaluate(truth: Truth, scores: Scores, known: Truth, resamples: NDArray[np.float64]) -> Evaluation:
    """All figures of a submission.

    Args:
        truth: which species call, shape [Recordings, Species]; somewhere one does.
        scores: shape [Recordings, Species].
        known: where `truth` is known, shape [Recordings, Species].
        resamples: of the recordings, as `resample` gives them.
    """
    precision = ranking_precisions(truth, scores).sum(axis=1)
    return _evaluation(precision, truth, average_precisions(truth, scores, known), resamples)


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


def evaluate_constant(truth: Truth, known: Truth, resamples: NDArray[np.float64]) -> Evaluation:
    """What `constant_scores` come to."""
    return evaluate(truth, constant_scores(truth), known, resamples)


def evaluate_random(truth: Truth, known: Truth, resamples: NDArray[np.float64]) -> Evaluation:
    """What a random submission scores on average, by formula; its interval resamples recordings as the others do."""
    counts, rows = np.unique(truth.sum(axis=1), return_inverse=True)
    precision = np.array([int(count) * random_precision(int(count), truth.shape[1]) for count in counts])[rows]
    usable = (known & truth).any(axis=0) & (known & ~truth).any(axis=0)
    by_species = [
        random_precision(int((truth & known)[:, species].sum()), int(known[:, species].sum()))
        for species in np.flatnonzero(usable)
    ]
    return _evaluation(precision, truth, np.array(by_species), resamples)


def _evaluation(
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
