"""How often species call: the share of windows, or of recordings, with each, from labels of a few and scores of all.

For windows: scores of windows where the species is present are known from annotations. Of all windows, those that score
above a high quantile q of these are taken for windows with the species, and they are the part 1 - q of such windows
(learning from positive and unlabelled data: Elkan and Noto 2008, doi 10.1145/1401890.1401920). For recordings, whose
score is a maximum, that is worse than a mixture of two normal distributions (docs/metrics.md).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

# Where a model confuses a species, low quantiles take in its false alarms; high ones rest on few annotations.
QUANTILES = np.linspace(0.25, 0.75, 11)
MOST = 0.99

# With fewer recordings with a species, half of the species at least, the estimate made rankings of species worse.
FEWEST_PRESENT = 12
# The log odds of a share are likely to be this, with this standard deviation.
USUAL_LOG_ODDS, SPREAD_OF_LOG_ODDS = -1.0, 1.5
# The spread of a species' scores is drawn to that of all as if by this many recordings.
COMMON_SPREAD_WEIGHT = 20.0
# Expectation maximization converges slowly where the two distributions overlap. It ends when no share changes by more.
MOST_STEPS, TOLERANCE = 2000, 1e-6
NEWTON_STEPS = 5
LEAST_SPREAD = 1e-3


def estimate_window_prevalence(
    present: Sequence[NDArray[np.floating]], sorted_scores: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Estimate the share of windows in which each species is present.

    Args:
        present: scores of annotated boxes of each species, out of fold; by species.
        sorted_scores: the scores of all windows by each group of models, ascending along the windows; by group,
            [Windows, Species] each. A group has as many models as gave `present`, because the mean of more models
            varies less. The estimate is the mean over groups.

    Returns:
        Prevalence, above 0 and below 1; NaN for a species without a present box, shape [Species].
    """
    found = np.full(len(present), np.nan)
    for species, scores in enumerate(present):
        if len(scores):
            limits = np.quantile(scores, QUANTILES)
            shares = [np.median(_share_above(limits, group[:, species]) / (1 - QUANTILES)) for group in sorted_scores]
            found[species] = np.clip(np.mean(shares), 0.5 / len(sorted_scores[0]), MOST)
    return found


def estimate_recording_prevalence(
    odds: NDArray[np.floating], is_present: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Estimate the share of recordings in which each species calls.

    The scores of a species are normally distributed around one mean where it calls and around another where it does
    not, with the same spread. Recordings in which it is known to call are also a sample of the first distribution by
    themselves, which fixes what is to be counted. The fit is by expectation maximization of the posterior.

    Args:
        odds: log odds of out-of-fold clip scores of the annotated recordings, shape [Recordings, Species].
        is_present: whether the species has a present box in the recording, shape [Recordings, Species].

    Returns:
        Prevalence, above 0 and below 1, shape [Species]. A species without a present box gets the mean log odds of the
        others. None if half of the species have fewer than `FEWEST_PRESENT` recordings with a present box.
    """
    n_present, n = is_present.sum(axis=0), len(odds)
    if np.median(n_present) < FEWEST_PRESENT:
        return None
    is_known = n_present > 0
    found = np.full(odds.shape[1], np.nan)
    scores, present, count = odds[:, is_known], is_present[:, is_known], n_present[is_known]
    total = (scores * present).sum(axis=0)
    lower = np.quantile(scores, 0.4, axis=0)
    upper = np.maximum(total / count, lower + 0.5)
    spread = np.full(len(count), max(0.6 * scores.std(axis=0).mean(), LEAST_SPREAD))
    share = np.full(len(count), logit(0.2))
    for _ in range(MOST_STEPS):
        before = share
        calls = expit(((scores - lower) ** 2 - (scores - upper) ** 2) / (2 * spread**2) + share)
        upper = (total + (calls * scores).sum(axis=0)) / (count + calls.sum(axis=0))
        lower = ((1 - calls) * scores).sum(axis=0) / np.maximum((1 - calls).sum(axis=0), 1e-6)
        squares = ((present + calls) * (scores - upper) ** 2 + (1 - calls) * (scores - lower) ** 2).sum(axis=0)
        common = (squares / (count + n)).mean()
        spread = np.sqrt((squares + COMMON_SPREAD_WEIGHT * common) / (count + n + COMMON_SPREAD_WEIGHT))
        spread = np.maximum(spread, LEAST_SPREAD)
        for _ in range(NEWTON_STEPS):
            p, precision = expit(share), SPREAD_OF_LOG_ODDS**-2
            slope = n * p - calls.sum(axis=0) + (share - USUAL_LOG_ODDS) * precision
            share = share - slope / (n * p * (1 - p) + precision)
        share = np.clip(share, logit(0.5 / n), -logit(0.5 / n))
        if np.abs(share - before).max() < TOLERANCE:
            break
    found[is_known] = share
    return expit(np.where(is_known, found, share.mean()))


def _share_above(limits: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of scores, sorted in ascending order, that are at least each limit."""
    return 1 - np.searchsorted(scores, limits) / len(scores)
