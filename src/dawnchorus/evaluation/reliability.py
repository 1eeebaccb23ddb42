"""Reliability diagrams: are predictions of 0.8 right in eight of ten cases?"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

BIN_COLUMNS = ["n", "predicted", "observed", "observed_low", "observed_high"]


def wilson_interval(
    share: NDArray[np.floating], n: NDArray[np.number], confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute Wilson's score interval of a fraction (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    Args:
        share: fraction of the trials, shape [...].
        n: number of trials, above 0, shape [...].
        confidence: of the two-sided interval.

    Returns:
        Lower and upper ends, shape [...].
    """
    z = ndtri((1 + confidence) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Exactly 0 and 1 where there is no other outcome.
    return np.where(share == 0, 0, centre - half), np.where(share == 1, 1, centre + half)


def reliability(predicted: NDArray[np.floating], is_present: NDArray[np.bool_], bins: int) -> pd.DataFrame:
    """Compare predictions with outcomes, in bins with equally many predictions.

    Args:
        predicted: 0 to 1, shape [Predictions].
        is_present: outcomes, shape [Predictions].
        bins: number of bins, at most the number of predictions.

    Returns:
        A row per bin, in ascending order, with the columns `BIN_COLUMNS`: number of predictions, their mean, the
        fraction of outcomes that are true, and its 95 % interval (Wilson).
    """
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, bins)
    rows = [(len(part), predicted[part].mean(), is_present[part].mean()) for part in parts]
    table = pd.DataFrame(rows, columns=BIN_COLUMNS[:3])
    table["observed_low"], table["observed_high"] = wilson_interval(table.observed.to_numpy(), table.n.to_numpy())
    return table


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """The mean difference between predictions and outcomes in the bins of `reliability`, weighted by their sizes."""
    return float(np.average((bins.predicted - bins.observed).abs(), weights=bins.n))
