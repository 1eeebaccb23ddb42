"""The results of an experiment: test scores, and the metrics of the ensemble and of each backbone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.inference.calibration import correct
from dawnchorus.inference.ensemble import Predictions
from dawnchorus.reporting.metrics import box_figures, figures, species_average_precision


@dataclass(frozen=True)
class Recordings:
    """The tables about recordings that the metrics are computed from.

    Attributes:
        annotations: annotations, as from `annotations.read_annotations`.
        train: annotated recordings, as from `recordings.read_recordings`.
        test: test recordings, as from `recordings.read_recordings`.
        ground_truth: 0 or 1 for each species, indexed by the recording_id of test recordings.
    """

    annotations: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    ground_truth: pd.DataFrame


def corrected_scores(
    predictions: dict[str, Predictions], declared: NDArray[np.float64] | None
) -> tuple[dict[str, pd.DataFrame], NDArray[np.float64]]:
    """Calibrate the test scores and correct them for prevalence.

    Args:
        predictions: predictions by name; the last are those of the ensemble.
        declared: prevalence of each species, shape [Species]; None to estimate it from the scores.

    Returns:
        The corrected test scores by name, and the prevalence used for the ensemble, shape [Species].
    """
    corrected = {name: correct(each.test, each.boxes, declared) for name, each in predictions.items()}
    *_, (_, prevalence) = corrected.values()
    return {name: scores for name, (scores, _) in corrected.items()}, prevalence


def copies_of_training(recordings: Recordings) -> list[str]:
    """List the usable test recordings with the same sound as a training recording.

    They are left out of the test metrics, because models may have been trained on them.
    """
    test = recordings.test
    return list(test.index[test.usable & test.digest.isin(recordings.train.digest)])


def metrics_of(
    predictions: dict[str, Predictions], test: dict[str, pd.DataFrame], recordings: Recordings, params: Params
) -> dict[str, dict]:
    """Compute the metrics in `results/metrics.json`.

    There are no out-of-fold metrics in two cases. With several rounds, models of earlier rounds were trained on the
    held-out recordings. With `train.checkpoint` other than `last`, the held-out fold selects the epoch.

    Args:
        predictions: predictions by name, including "ensemble".
        test: test scores by name, including "ensemble".
        recordings: tables about the recordings.
        params: parameters of the experiment.

    Returns:
        The metrics of each submission under "oof" and "test"; a key without metrics is left out.
    """
    samples, seed = params.ensemble.bootstrap_samples, params.seed
    metrics: dict[str, dict] = {}
    if len(params.rounds) == 1 and params.train.checkpoint == "last":
        oof = {name: each.oof for name, each in predictions.items()}
        names = list(oof["ensemble"].index)
        truth = GroundTruth.of_annotations(recordings.annotations, names, oof["ensemble"].shape[1])
        groups = recordings.train.group if (recordings.train.group != "").any() else None
        metrics["oof"] = figures(truth, oof, samples, seed, groups)
        boxes = {name: each.boxes for name, each in predictions.items()}
        for name, figure in box_figures(boxes, samples, seed, groups).items():
            metrics["oof"][name] |= figure
    tested = _tested(recordings)
    if len(tested):
        metrics["test"] = figures(GroundTruth.of_truth(tested), test, samples, seed)
    return metrics


def average_precisions_of(
    predictions: dict[str, Predictions],
    test: dict[str, pd.DataFrame],
    recordings: Recordings,
    metrics: dict[str, dict],
) -> pd.DataFrame:
    """Compute the ensemble's average precision of each species.

    It is that of the test recordings if they have ground truth. Otherwise it is that of the out-of-fold scores if there
    are out-of-fold metrics. Otherwise it is NaN.

    Args:
        predictions: as in `metrics_of`.
        test: as in `metrics_of`.
        recordings: as in `metrics_of`.
        metrics: the result of `metrics_of`.

    Returns:
        One row per species with the columns species and average_precision.
    """
    if "test" in metrics:
        return species_average_precision(GroundTruth.of_truth(_tested(recordings)), test["ensemble"])
    oof = predictions["ensemble"].oof
    if "oof" in metrics:
        truth = GroundTruth.of_annotations(recordings.annotations, list(oof.index), oof.shape[1])
        return species_average_precision(truth, oof)
    return species_average_precision(None, oof)


def count_skipped(recordings: Recordings) -> dict[str, int]:
    """Count the unusable recordings, their TP and FP rows, and the test recordings that copy training recordings."""
    train, test = recordings.train, recordings.test
    bad = recordings.annotations.recording_id.isin(train.index[~train.usable])
    return {
        "recordings": int((~train.usable).sum() + (~test.usable).sum()),
        "tp_rows": int((bad & recordings.annotations.is_tp).sum()),
        "fp_rows": int((bad & ~recordings.annotations.is_tp).sum()),
        "copies": len(copies_of_training(recordings)),
    }


def shown_weights(weights: dict[str, float]) -> dict[str, float]:
    """Round the weights of the backbones for `results/metrics.json`."""
    return {name: round(weight, 6) for name, weight in weights.items()}


def shown_prevalence(species: Sequence[str], prevalence: NDArray[np.float64]) -> dict[str, float]:
    """Round the prevalence of each species for `results/metrics.json`."""
    return dict(zip(species, prevalence.round(6).tolist(), strict=True))


def _tested(recordings: Recordings) -> pd.DataFrame:
    """The ground truth of the test recordings, without copies of training recordings; empty without a call."""
    truth = recordings.ground_truth
    truth = truth[~truth.index.isin(copies_of_training(recordings))]
    # LWLRAP needs at least one call.
    return truth if truth.to_numpy().any() else truth[:0]
