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


def effective_trials(is_present: NDArray[np.bool_], units: NDArray[np.integer]) -> float:
    """How many independent trials tell as much of a fraction as outcomes that come in units, such as recordings.

    It is the fraction's binomial variance over the variance between units (Korn & Graubard 1998, Survey Methodology
    24, 193-201), at least 1 and at most the number of outcomes. If all outcomes are equal, it is the number of units.

    Args:
        is_present: outcomes, shape [Outcomes].
        units: the unit of each outcome, shape [Outcomes].
    """
    names, number = np.unique(units, return_inverse=True)
    share = is_present.mean()
    if len(names) == 1 or share in (0, 1):
        return float(len(names))
    residuals = np.bincount(number, is_present - share)
    variance = len(names) / (len(names) - 1) * np.sum(residuals**2) / len(is_present) ** 2
    return float(np.clip(share * (1 - share) / variance, 1, len(is_present))) if variance > 0 else len(is_present)


def reliability(
    predicted: NDArray[np.floating],
    is_present: NDArray[np.bool_],
    bins: int,
    units: NDArray[np.integer] | None = None,
) -> pd.DataFrame:
    """Compare predictions with outcomes, in bins with equally many predictions.

    Args:
        predicted: 0 to 1, shape [Predictions].
        is_present: outcomes, shape [Predictions].
        bins: number of bins, at most the number of predictions.
        units: the recording or group of each prediction, shape [Predictions]; None if each is independent.

    Returns:
        A row per bin, in ascending order, with the columns `BIN_COLUMNS`: number of predictions, their mean, the
        fraction of outcomes that are true, and its 95 % interval (Wilson's, for the effective number of trials).
    """
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, bins)
    rows = [(len(part), predicted[part].mean(), is_present[part].mean()) for part in parts]
    table = pd.DataFrame(rows, columns=BIN_COLUMNS[:3])
    trials = [len(part) if units is None else effective_trials(is_present[part], units[part]) for part in parts]
    table["observed_low"], table["observed_high"] = wilson_interval(table.observed.to_numpy(), np.array(trials, float))
    return table


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """The mean difference between predictions and outcomes in the bins of `reliability`, weighted by their sizes."""
    return float(np.average((bins.predicted - bins.observed).abs(), weights=bins.n))
