"""Metrics of the clip scores of each species, against labels that tell where it is absent as well as where it calls."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.evaluation.clip_metrics import average_precisions
from dawnchorus.evaluation.label_metrics import Scores, Truth

# A species counts as found in a recording from this score on.
THRESHOLD = 0.5


@dataclass(frozen=True)
class SpeciesMetrics:
    """Metrics over the recordings in which it is known whether the species calls. All have the shape [Species].

    Attributes:
        average_precision: NaN for a species that is not both present somewhere and absent somewhere.
        precision: fraction of the recordings with a score of at least `THRESHOLD` in which the species calls; NaN if
            no score is as high, or if the species is nowhere absent, because precision is then 1 for any scores.
        recall: fraction of the recordings in which the species calls that have a score of at least `THRESHOLD`; NaN if
            it calls nowhere.
        n_present: number of recordings in which the species calls.
        n_recordings: number of recordings in which it is known whether it does.
    """

    average_precision: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_present: NDArray[np.int64]
    n_recordings: NDArray[np.int64]

    def macro(self) -> dict[str, float]:
        """The means of the metrics over the species that have them; a metric that no species has is left out."""
        means = {
            "macro_average_precision": self.average_precision,
            f"macro_precision_at_{THRESHOLD}": self.precision,
            f"macro_recall_at_{THRESHOLD}": self.recall,
        }
        return {name: float(np.nanmean(values)) for name, values in means.items() if not np.isnan(values).all()}


def evaluate_species(truth: Truth, scores: Scores, mask: Truth) -> SpeciesMetrics:
    """Compute the metrics of each species.

    Args:
        truth: which species call, shape [Recordings, Species].
        scores: clip scores, shape [Recordings, Species].
        mask: label mask: where `truth` is known, shape [Recordings, Species].
    """
    present, absent, found = truth & mask, ~truth & mask, scores >= THRESHOLD
    n_present, n_absent = present.sum(axis=0), absent.sum(axis=0)
    hits, alarms = (present & found).sum(axis=0), (absent & found).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(n_absent > 0, hits / (hits + alarms), np.nan)
        recall = hits / n_present
    return SpeciesMetrics(average_precisions(truth, scores, mask), precision, recall, n_present, n_present + n_absent)
