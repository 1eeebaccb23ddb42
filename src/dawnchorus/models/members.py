"""The members of a bundle that are networks on spectrograms, as one Keras model."""

import keras

from dawnchorus.models.building import build_models
from dawnchorus.models.bundle import COPY_AGAIN, Bundle
from dawnchorus.models.shapes import Shapes
from dawnchorus.models.weights import load_weights


def load_ensemble(bundle: Bundle) -> keras.Model:
    """Build all members that are networks on spectrograms as one model. There must be one.

    Returns:
        A model from windows (Batch, Frames, Mels) in dB, float16, to scores (Batch, Species), the weighted sum of the
        members'.

    Raises:
        InputError: weights do not fit.
    """
    settings = bundle.info.settings
    shapes = Shapes.of(settings)
    windows = keras.Input(shapes.window, dtype="float16", name="windows")
    scores = []
    for member in bundle.info.members:
        if member.is_head:
            continue
        scorer, _ = build_models(
            member.backbone, shapes, len(bundle.info.species), 0.0, 0, settings.image.frequency_channel,
            settings.head.pooling, settings.head.frame_weight > 0,
        )  # fmt: skip
        load_weights(scorer, bundle.folder / member.file, COPY_AGAIN)
        scorer.name = f"{member.backbone}_{member.fold}"
        scores.append(scorer(windows) * member.weight)
    return keras.Model(windows, keras.layers.add(scores) if len(scores) > 1 else scores[0])
