"""Metrics of clip scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.bootstrap import lwlrap_intervals
from dawnchorus.evaluation.box_metrics import average_precision
from dawnchorus.evaluation.label_metrics import Scores, Truth, ranking_precisions


def average_precisions(truth: Truth, scores: Scores, mask: Truth) -> NDArray[np.float64]:
    """Compute the average precision of each species over its labelled recordings.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].
        mask: label mask: where `truth` is known, shape [Recordings, Species].

    Returns:
        Average precision, shape [Species]; NaN for a species without a positive or a negative label.
    """
    result = np.full(truth.shape[1], np.nan)
    for species in range(truth.shape[1]):
        rows = mask[:, species]
        if truth[rows, species].any() and not truth[rows, species].all():
            result[species] = average_precision(truth[rows, species], scores[rows, species])
    return result


@dataclass(frozen=True)
class Precisions:
    """The precisions from which the metrics of a submission are computed.

    Attributes:
        by_recording: sum of the `ranking_precisions` of each recording, shape [Recordings].
        by_species: `average_precisions` of the species, shape [Species].
    """

    by_recording: NDArray[np.float64]
    by_species: NDArray[np.float64]

    @classmethod
    def of_scores(cls, truth: Truth, scores: Scores, mask: Truth) -> "Precisions":
        """Compute the precisions of scores; the arguments are those of `average_precisions`."""
        return cls(ranking_precisions(truth, scores).sum(axis=1), average_precisions(truth, scores, mask))


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one submission.

    Attributes:
        lwlrap: LWLRAP over all true labels.
        lwlrap_low: lower end of its bootstrap 95 % interval.
        lwlrap_high: upper end of its bootstrap 95 % interval.
        macro_average_precision: mean of the `average_precisions` over species; NaN if no species has both a positive
            and a negative label.
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
    """Compute all metrics of submissions.

    Args:
        submissions: precisions of each submission, by name.
        truth: which species call, shape [Recordings, Species]; at least one label is true.
        samples: number of bootstrap resamplings, the same ones for all submissions.
        rng: random generator.
        groups: group number of each recording, shape [Recordings]. If given, the bootstrap draws whole groups;
            otherwise it draws recordings.

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
