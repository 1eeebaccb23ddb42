"""Metrics of the left-out recordings while a model is trained."""

from dataclasses import dataclass
from pathlib import Path

import keras

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.clip_metrics import lwlrap, precision
from dawnchorus.inference.scoring import score_recordings


@dataclass(frozen=True)
class Validation:
    """Metrics of the validation recordings.

    Attributes:
        lwlrap: as in `metrics.lwlrap`.
        precision: as in `metrics.precision`.
    """

    lwlrap: float
    precision: float


def validate(scorer: keras.Model, folder: Path, left_out: GroundTruth, batch_size: int) -> Validation:
    """The metrics of whole recordings: the maximum over windows that follow each other, as in inference.

    Args:
        scorer: the scoring model of `build_models`.
        folder: of the cached spectrograms.
        left_out: the recordings that training has not seen, and what is known of them.
        batch_size: windows in a forward pass.
    """
    scores = score_recordings(scorer, folder, left_out.recording_ids, scorer.input_shape[1], batch_size)
    return Validation(lwlrap(left_out.truth, scores), precision(left_out.truth, scores, left_out.mask))
