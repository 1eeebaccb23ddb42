"""Validation on the left-out fold during training."""

from dataclasses import dataclass
from pathlib import Path

import keras

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.label_metrics import lwlrap, precision
from dawnchorus.inference.scoring import score_recordings


@dataclass(frozen=True)
class Validation:
    """Metrics of the validation recordings.

    Attributes:
        lwlrap: see `label_metrics.lwlrap`.
        precision: see `label_metrics.precision`.
    """

    lwlrap: float
    precision: float


def validate(scorer: keras.Model, folder: Path, left_out: GroundTruth, batch_size: int) -> Validation:
    """Compute the metrics of clip scores, each the maximum over adjacent windows of the recording.

    Args:
        scorer: the scoring model from `build_models`.
        folder: folder of the spectrograms.
        left_out: ground truth of the recordings that were left out of training.
        batch_size: windows in a forward pass.
    """
    scores = score_recordings(scorer, folder, left_out.recording_ids, scorer.input_shape[1], batch_size)
    return Validation(lwlrap(left_out.truth, scores), precision(left_out.truth, scores, left_out.mask))
