"""Intervals of average precision, of each species and of their mean: a bootstrap over recordings or groups of them."""

import warnings

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.evaluation.box_metrics import average_precision_and_auc
from dawnchorus.evaluation.clip_metrics import average_precisions
from dawnchorus.evaluation.label_metrics import Scores, Truth
from dawnchorus.evaluation.reliability import wilson_interval

# Number of resamplings in memory.
AT_ONCE = 100


def average_precision_intervals(
    truth: Truth,
    scores: Scores,
    mask: Truth,
    samples: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute 95 % intervals of `clip_metrics.average_precisions`. All species use the same resamplings.

    An interval is the wider one of the bootstrap's and of Wilson's with as many trials as recordings or groups in which
    the species calls: if it ranks all of them highest, the bootstrap knows nothing else.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].
        mask: label mask: where `truth` is known, shape [Recordings, Species].
        samples: number of resamplings.
        rng: random generator.
        groups: group number of each recording, shape [Recordings]; by default each recording is a group.

    Returns:
        Lower and upper ends, shape [Species]; NaN for a species without a positive or a negative label.
    """
    values = _resampled(truth, scores, mask, samples, rng, groups)
    with warnings.catch_warnings():
        # A species without both kinds of labels has no average precision in any resampling.
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanpercentile(values, [2.5, 97.5], axis=0)
    average = average_precisions(truth, scores, mask)
    units = np.arange(len(truth)) if groups is None else groups
    trials = [len(np.unique(units[calls])) for calls in (truth & mask).T]
    with np.errstate(invalid="ignore", divide="ignore"):
        wilson_low, wilson_high = wilson_interval(average, np.array(trials))
    is_known = ~np.isnan(average)
    return np.where(is_known, np.fmin(low, wilson_low), np.nan), np.where(is_known, np.fmax(high, wilson_high), np.nan)


def macro_interval(
    truth: Truth,
    scores: Scores,
    mask: Truth,
    samples: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None = None,
) -> tuple[float, float]:
    """Compute the 95 % interval of the mean of `clip_metrics.average_precisions` over species.

    Args:
        truth: as in `average_precision_intervals`, like the other arguments. A species counts in the resamplings in
            which it has both kinds of labels.
        scores: clip scores.
        mask: label mask.
        samples: number of resamplings.
        rng: random generator.
        groups: group number of each recording.

    Returns:
        Lower and upper end; NaN if no species has both kinds of labels.
    """
    values = _resampled(truth, scores, mask, samples, rng, groups)
    known = ~np.isnan(values)
    if not known.any():
        return float("nan"), float("nan")
    drawn = known.any(axis=1)
    low, high = np.percentile(np.nanmean(values[drawn], axis=1), [2.5, 97.5])
    return float(low), float(high)


def _resampled(
    truth: Truth,
    scores: Scores,
    mask: Truth,
    samples: int,
    rng: np.random.Generator,
    groups: NDArray[np.integer] | None,
) -> NDArray[np.float64]:
    """The average precision of each species in each resampling, shape [Resamplings, Species]; NaN where unknown."""
    found: list[list[NDArray[np.float64]]] = [[] for _ in range(truth.shape[1])]
    for drawn in draw_recordings(len(truth), samples, AT_ONCE, rng, groups):
        for species, of_species in enumerate(found):
            known = mask[:, species]
            calls = truth[known, species]
            of_species.append(
                average_precision_and_auc(calls, scores[known, species], drawn[:, known].T)[0]
                if 0 < calls.sum() < len(calls)
                else np.full(len(drawn), np.nan)
            )
    return np.stack([np.concatenate(parts) for parts in found], axis=1)
