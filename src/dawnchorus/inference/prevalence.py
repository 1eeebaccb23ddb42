"""How often species call: the share of windows with each species, from labels of a few and the scores of all.

Scores of windows where the species is present are known from annotations. Of all windows, those that score above a high
quantile q of these are taken for windows with the species, and they are the part 1 - q of such windows (learning from
positive and unlabelled data: Elkan and Noto 2008, doi 10.1145/1401890.1401920).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Where a model confuses a species, low quantiles take in its false alarms; high ones rest on few annotations.
QUANTILES = np.linspace(0.25, 0.75, 11)
MOST = 0.99


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


def _share_above(limits: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of scores, sorted in ascending order, that are at least each limit."""
    return 1 - np.searchsorted(scores, limits) / len(scores)
