"""Thresholds and probabilities of the student, by those of the ensemble that it learned from."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.inference.thresholds import FEWEST_TEST, MEASURED, WindowModel, threshold_below

NO_THRESHOLD = f"the student's thresholds take at least {FEWEST_TEST} test recordings"


def thresholds_by_rank(
    model: WindowModel, table: pd.DataFrame, ensemble: NDArray[np.floating], student: NDArray[np.floating]
) -> tuple[WindowModel, pd.DataFrame]:
    """Give each window of the student the probability that the window of the same rank has by the ensemble.

    The student was trained on all recordings with labels, so its scores there show nothing. Where it ranks windows of
    the test recordings at least as well as the ensemble, its precision is at least that of the ensemble.

    Args:
        model: probabilities of the ensemble's scores.
        table: its thresholds, as from `threshold_tables.read_thresholds`.
        ensemble: scores of the windows of test recordings, shape [Windows, Species].
        student: scores of the same windows.

    Returns:
        The model of the student's scores, and its thresholds; `windows_above` is that of these test recordings.
    """
    ranked, own = np.sort(ensemble, axis=0)[::-1], np.sort(student, axis=0)[::-1]
    calibration = model.calibration.transferred(own, model.probabilities(ranked), model.prevalence)
    found = WindowModel(calibration, model.prevalence)
    thresholds = table.threshold.to_numpy(float)
    above = (ensemble >= thresholds).sum(axis=0)
    same = np.array([found.score_at(each)[n] for n, each in enumerate(table.probability.to_numpy(float))])
    scores = threshold_below(own, above, same)
    result = table.assign(threshold=np.where(np.isnan(thresholds), np.nan, scores), windows_above=above)
    result["probability"] = found.probabilities(result.threshold.to_numpy(float))
    return found, result.assign(**dict.fromkeys(MEASURED, np.nan))


def without_thresholds(table: pd.DataFrame) -> pd.DataFrame:
    """Thresholds where too few test recordings show the student's scores: none, with the reason."""
    empty = dict.fromkeys(["threshold", "probability", "precision", "precision_low", *MEASURED], np.nan)
    return table.assign(**empty, windows_above=0, no_promise=NO_THRESHOLD)
