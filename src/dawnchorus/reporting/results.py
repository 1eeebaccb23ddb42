"""The results of an experiment: test scores, and the metrics of the ensemble and of each backbone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.data.complete import Completeness
from dawnchorus.data.copies import copies_of_training
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.inference.calibration import correct, log_odds
from dawnchorus.inference.ensemble import Predictions
from dawnchorus.inference.prevalence import estimate_recording_prevalence
from dawnchorus.reporting.metrics import box_figures, figures, species_figures


@dataclass(frozen=True)
class Recordings:
    """The tables about recordings that the metrics are computed from.

    Attributes:
        annotations: annotations, as from `annotations.read_annotations`.
        train: annotated recordings, as from `recordings.read_recordings`.
        test: test recordings, as from `recordings.read_recordings`.
        ground_truth: 0, 1 or NaN for each species, indexed by the recording_id of test recordings.
        uncertain: uncertain annotations, as from `annotations.read_uncertain`.
        complete: the training recordings that are annotated completely.
    """

    annotations: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    ground_truth: pd.DataFrame
    uncertain: pd.DataFrame
    complete: Completeness


def corrected_scores(
    predictions: dict[str, Predictions], declared: NDArray[np.float64] | None
) -> tuple[dict[str, pd.DataFrame], NDArray[np.float64]] | None:
    """Calibrate the test scores and correct them for prevalence.

    Args:
        predictions: predictions by name; the last are those of the ensemble.
        declared: prevalence of each species, shape [Species]; None to estimate it from the annotated recordings.

    Returns:
        The corrected test scores by name, and the prevalence used for the ensemble, shape [Species]. None if there are
        too few annotations to estimate it.
    """
    corrected = {}
    for name, each in predictions.items():
        used = estimated_prevalence(each) if declared is None else declared
        if used is None:
            return None
        corrected[name] = correct(each.test, each.boxes, used), used
    *_, (_, prevalence) = corrected.values()
    return {name: scores for name, (scores, _) in corrected.items()}, prevalence


def estimated_prevalence(predictions: Predictions) -> NDArray[np.float64] | None:
    """The share of annotated recordings with each species; see `prevalence.estimate_recording_prevalence`."""
    boxes = predictions.boxes.index.to_frame(index=False)
    boxes = boxes[boxes.is_tp.astype(bool)]
    is_present = np.zeros(predictions.oof.shape, bool)
    is_present[predictions.oof.index.get_indexer(boxes.recording_id), boxes.species_id.astype(int)] = True
    return estimate_recording_prevalence(log_odds(predictions.oof.to_numpy()), is_present)


def metrics_of(
    predictions: dict[str, Predictions], test: dict[str, pd.DataFrame], recordings: Recordings, params: Params
) -> dict[str, dict]:
    """Compute the metrics in `results/figures.json`.

    There are no out-of-fold metrics in two cases. With several rounds, models of earlier rounds were trained on the
    held-out recordings. With `train.checkpoint` other than `last`, the held-out fold selects the epoch.

    Args:
        predictions: predictions by name, including "ensemble".
        test: test scores by name, including "ensemble".
        recordings: tables about the recordings.
        params: parameters of the experiment.

    Returns:
        The metrics of each submission under "oof", "complete" (out of fold, in recordings that are annotated
        completely) and "test"; a key without metrics is left out.
    """
    samples, seed = params.ensemble.bootstrap_samples, params.seed
    metrics: dict[str, dict] = {}
    if len(params.rounds) == 1 and params.train.checkpoint == "last":
        oof = {name: each.oof for name, each in predictions.items()}
        truth, complete = out_of_fold_truth(recordings, list(oof["ensemble"].index))
        groups = _groups(recordings.train)
        metrics["oof"] = figures(truth, oof, samples, seed, groups)
        boxes = {name: each.boxes for name, each in predictions.items()}
        for name, figure in box_figures(boxes, samples, seed, groups).items():
            metrics["oof"][name] |= figure
        if complete.mask.any():
            n_recordings = int(complete.mask.any(axis=1).sum())
            metrics["complete"] = {
                name: {"recordings": n_recordings} | found for name, found in species_figures(complete, oof).items()
            }
    tested = truth_of_test(recordings)
    if tested is not None:
        metrics["test"] = figures(tested, test, samples, seed, _groups(recordings.test))
        for name, found in species_figures(tested, test).items():
            metrics["test"][name] |= found
    return metrics


def _groups(table: pd.DataFrame) -> pd.Series | None:
    return table.group if (table.group != "").any() else None


def out_of_fold_truth(recordings: Recordings, recording_ids: list[str]) -> tuple[GroundTruth, GroundTruth]:
    """What is known about annotated recordings: all of it, and the part that does not depend on what was labelled.

    Args:
        recordings: tables about the recordings.
        recording_ids: of the annotated recordings.

    Returns:
        Ground truth from all labels, where species are also absent if a recording is complete for them and has no label
        of them; and the same only where recordings are complete. An uncertain label leaves its species unknown.
    """
    n_species = recordings.ground_truth.shape[1]
    labelled = GroundTruth.of_annotations(recordings.annotations, recording_ids, n_species)
    doubted = GroundTruth.of_annotations(recordings.uncertain, recording_ids, n_species).mask
    is_complete = recordings.complete.of(recording_ids) & (labelled.truth | ~doubted)
    return replace(labelled, mask=labelled.mask | is_complete), replace(labelled, mask=is_complete)


def truth_of_test(recordings: Recordings) -> GroundTruth | None:
    """The ground truth of the test recordings, without copies of training recordings; None without a call."""
    table = recordings.ground_truth
    truth = GroundTruth.of_truth(table[~table.index.isin(copies_of_training(recordings.train, recordings.test))])
    # LWLRAP needs at least one call.
    return truth if truth.truth.any() else None


def usable_present(recordings: Recordings) -> pd.DataFrame:
    """The present boxes in usable training recordings."""
    usable = recordings.train.index[recordings.train.usable]
    annotations = recordings.annotations
    return annotations[annotations.is_tp & annotations.recording_id.isin(usable)]


def count_skipped(recordings: Recordings) -> dict[str, int]:
    """Count the unusable recordings, their TP and FP rows, and the test recordings that copy training recordings."""
    train, test = recordings.train, recordings.test
    bad = recordings.annotations.recording_id.isin(train.index[~train.usable])
    return {
        "recordings": int((~train.usable).sum() + (~test.usable).sum()),
        "tp_rows": int((bad & recordings.annotations.is_tp).sum()),
        "fp_rows": int((bad & ~recordings.annotations.is_tp).sum()),
        "copies": len(copies_of_training(recordings.train, recordings.test)),
    }


def shown_weights(weights: dict[str, float]) -> dict[str, float]:
    """Round the weights of the backbones for `results/figures.json`."""
    return {name: round(weight, 6) for name, weight in weights.items()}


def shown_prevalence(species: Sequence[str], prevalence: NDArray[np.float64]) -> dict[str, float]:
    """Round the prevalence of each species for `results/figures.json`."""
    return dict(zip(species, prevalence.round(6).tolist(), strict=True))
