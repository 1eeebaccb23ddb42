"""The metrics of each species: `results/species_metrics.csv`."""

import numpy as np
import pandas as pd

from dawnchorus.data.folds import count_recordings
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.clip_metrics import average_precisions
from dawnchorus.evaluation.species_metrics import THRESHOLD, evaluate_species
from dawnchorus.inference.ensemble import Predictions
from dawnchorus.reporting.results import Recordings, out_of_fold_truth, truth_of_test, usable_present


def species_table(
    ensemble: Predictions, test: pd.DataFrame, recordings: Recordings, n_folds: int, has_oof: bool
) -> pd.DataFrame:
    """Compute the metrics of the ensemble for each species.

    Args:
        ensemble: predictions of the ensemble.
        test: its test scores, indexed by recording_id.
        recordings: tables about the recordings.
        n_folds: number of folds.
        has_oof: whether out-of-fold scores are of models that learned nothing from the recordings.

    Returns:
        One row per species, rounded to six decimals. `species`; `training_recordings`, in which it is present;
        `fewer_than_folds`, yes or no; `average_precision` of the test recordings if they have ground truth, otherwise
        out of fold; then `average_precision`, `precision_at_0.5`, `recall_at_0.5`, `present` and `recordings` with the
        prefix `complete_` (out of fold, in completely annotated recordings) and `test_`. What cannot be known is empty.
    """
    species = list(ensemble.oof.columns)
    counts = count_recordings(usable_present(recordings), species)
    known, complete = out_of_fold_truth(recordings, list(ensemble.oof.index)) if has_oof else (None, None)
    tested = truth_of_test(recordings)
    columns = {"species": species, "training_recordings": counts.to_numpy()}
    columns["fewer_than_folds"] = np.where(counts < n_folds, "yes", "no")
    columns["average_precision"] = np.full(len(species), np.nan)
    shown, scores = (known, ensemble.oof) if tested is None else (tested, test)
    if shown is not None:
        columns["average_precision"] = average_precisions(shown.truth, _of(shown, scores), shown.mask)
    for prefix, truth, of_set in (("complete", complete, ensemble.oof), ("test", tested, test)):
        columns |= {f"{prefix}_{name}": values for name, values in _metrics(truth, of_set).items()}
    return pd.DataFrame(columns).round(6)


def _of(truth: GroundTruth, scores: pd.DataFrame) -> np.ndarray:
    return scores.loc[truth.recording_ids].to_numpy()


def _metrics(truth: GroundTruth | None, scores: pd.DataFrame) -> dict[str, object]:
    """The metrics of the species by their name in the table; NaN without ground truth, and 0 recordings."""
    if truth is None:
        truth = GroundTruth([], *np.zeros((2, 0, scores.shape[1]), bool))
    found = evaluate_species(truth.truth, _of(truth, scores), truth.mask)
    return {
        "average_precision": found.average_precision,
        f"precision_at_{THRESHOLD}": found.precision,
        f"recall_at_{THRESHOLD}": found.recall,
        "present": found.n_present,
        "recordings": found.n_recordings,
    }
