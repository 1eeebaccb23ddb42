"""The results of an experiment: test scores, and figures of the ensemble and of each backbone."""

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
    """What figures need to know of the recordings.

    Attributes:
        annotations: as `annotations.read_annotations` gives them.
        train: the annotated recordings, as `recordings.read_recordings` gives them.
        test: the test recordings, likewise.
        ground_truth: 0 or 1 for each species, indexed by the recording_id of test recordings.
    """

    annotations: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    ground_truth: pd.DataFrame


def corrected_scores(
    predictions: dict[str, Predictions], declared: NDArray[np.float64] | None
) -> tuple[dict[str, pd.DataFrame], NDArray[np.float64]]:
    """Calibrate the test scores and correct them by prevalence.

    Args:
        predictions: by name; the last one is the ensemble's.
        declared: the prevalence of each species, shape [Species]; None to estimate it from the scores.

    Returns:
        Test scores by name, and the prevalence that the ensemble's are corrected by.
    """
    corrected = {name: correct(each.test, each.boxes, declared) for name, each in predictions.items()}
    *_, (_, prevalence) = corrected.values()
    return {name: scores for name, (scores, _) in corrected.items()}, prevalence


def copies_of_training(recordings: Recordings) -> list[str]:
    """The test recordings that hold the same sound as a training one: what a model says of them is no test."""
    test = recordings.test
    return list(test.index[test.usable & test.digest.isin(recordings.train.digest)])


def metrics_of(
    predictions: dict[str, Predictions], test: dict[str, pd.DataFrame], recordings: Recordings, params: Params
) -> dict[str, dict]:
    """The figures of an experiment, as `results/metrics.json` holds them.

    Out of fold there are none with several rounds, for earlier ones have seen those recordings, and none where
    `train.checkpoint` lets the held-out fold choose the epoch.

    Args:
        predictions: by name, the ensemble's among them.
        test: test scores, likewise.
        recordings: what is known of the recordings.
        params: the experiment.
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
    """The ensemble's average precision of each species: on the test recordings, else out of fold, else empty.

    Arguments are those of `metrics_of`, and what it gave.
    """
    if "test" in metrics:
        return species_average_precision(GroundTruth.of_truth(_tested(recordings)), test["ensemble"])
    oof = predictions["ensemble"].oof
    if "oof" in metrics:
        truth = GroundTruth.of_annotations(recordings.annotations, list(oof.index), oof.shape[1])
        return species_average_precision(truth, oof)
    return species_average_precision(None, oof)


def count_skipped(recordings: Recordings) -> dict[str, int]:
    """How many recordings could not be used, with how many rows, and how many test recordings do not count."""
    train, test = recordings.train, recordings.test
    bad = recordings.annotations.recording_id.isin(train.index[~train.usable])
    return {
        "recordings": int((~train.usable).sum() + (~test.usable).sum()),
        "tp_rows": int((bad & recordings.annotations.is_tp).sum()),
        "fp_rows": int((bad & ~recordings.annotations.is_tp).sum()),
        "copies": len(copies_of_training(recordings)),
    }


def shown_weights(weights: dict[str, float]) -> dict[str, float]:
    """The backbones' weights in the ensemble, as `results/metrics.json` holds them."""
    return {name: round(weight, 6) for name, weight in weights.items()}


def shown_prevalence(species: Sequence[str], prevalence: NDArray[np.float64]) -> dict[str, float]:
    """The prevalence of each species, likewise."""
    return dict(zip(species, prevalence.round(6).tolist(), strict=True))


def _tested(recordings: Recordings) -> pd.DataFrame:
    """The ground truth of the test recordings that count."""
    truth = recordings.ground_truth
    truth = truth[~truth.index.isin(copies_of_training(recordings))]
    # Without a single call there is nothing to rank.
    return truth if truth.to_numpy().any() else truth[:0]
