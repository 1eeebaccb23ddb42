"""The networks on spectrograms of a bundle, as one Keras model."""

from collections.abc import Sequence

import keras

from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import COPY_AGAIN, STUDENT_WEIGHTS, Bundle, Member
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights


def load_ensemble(bundle: Bundle, members: Sequence[Member] | None = None) -> keras.Model:
    """Build members that are networks on spectrograms as one model.

    Args:
        bundle: the model.
        members: networks, of which there must be one; by default all of the bundle.

    Returns:
        A model from windows (Batch, Frames, Mels) in dB, float32, to scores (Batch, Species), the weighted sum of the
        members'.

    Raises:
        InputError: weights do not fit.
    """
    networks = bundle.info.networks if members is None else members
    windows = keras.Input(Shapes.of(bundle.info.settings).window, name="windows")
    scores = [
        _network(bundle, member.backbone, member.file, member.name)(windows) * member.weight for member in networks
    ]
    return keras.Model(windows, keras.layers.add(scores) if len(scores) > 1 else scores[0])


def load_student(bundle: Bundle) -> keras.Model:
    """Build the student, which the bundle must have; result and errors are those of `load_ensemble`."""
    if bundle.info.student is None:
        raise ValueError(f"{bundle.folder} has no student")
    return _network(bundle, bundle.info.student, STUDENT_WEIGHTS, "student")


def _network(bundle: Bundle, backbone: str, file: str, name: str) -> keras.Model:
    settings = bundle.info.settings
    scorer, _ = build_models(
        backbone, Shapes.of(settings), len(bundle.info.species), 0.0, 0, settings.image.frequency_channel,
        settings.head.pooling, settings.head.frame_weight > 0,
    )  # fmt: skip
    load_weights(scorer, bundle.folder / file, COPY_AGAIN)
    scorer.name = name.replace("-", "_")
    return scorer
