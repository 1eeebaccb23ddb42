"""Build the model for scoring and the model for training."""

import keras
from keras import ops

from dawnchorus.config.head import Pooling
from dawnchorus.features.store import CODES_PER_DECIBEL
from dawnchorus.models.backbone import build_backbone
from dawnchorus.models.heads import Head
from dawnchorus.models.layers import Augment, Mixup, ToImage
from dawnchorus.models.shapes import Shapes


def build_models(
    backbone: str,
    shapes: Shapes,
    n_species: int,
    dropout: float,
    seed: int,
    frequency_channel: bool = False,
    pooling: Pooling = "attention",
    frames: bool = False,
) -> tuple[keras.Model, keras.Model]:
    """Build a model for scoring and a model for training that share their weights.

    Args:
        backbone: name of the backbone.
        shapes: shapes of a window and of its image.
        n_species: number of species.
        dropout: fraction of the features that training drops.
        seed: seed of the initial weights and the dropout.
        frequency_channel: whether to add a channel with the position in frequency.
        pooling: how frame scores are pooled into a window score.
        frames: whether to train on the maximum frame score as well as on the window score. The scorer then returns the
            mean of both, as in solutions of BirdCLEF participants that train this way.

    Returns:
        scorer: windows (Batch, Frames, Mels) in dB, float32 -> scores (Batch, Species).
        trainer: a dictionary of "windows" (Batch, Frames, Mels) in the codes of `features.store`, int16; "partner"
            (Batch,) and "weight" (Batch,) for mixup; and the entries that `training.augmentation.draw_changes` returns,
            (Batch, ...) each -> scores (Batch, Species); with `frames`, (Batch, 2, Species), the window score and the
            maximum frame score.
    """
    keras.utils.set_random_seed(seed)
    to_image = ToImage(shapes.image, name="image")
    network = build_backbone(backbone, *shapes.image, frequency_channel)
    head = Head(n_species, dropout, seed, pooling, frames, name="head")

    windows = keras.Input(shapes.window, dtype="float32", name="windows")
    # Codes take half as many bytes on the way to a GPU, and none of the time of the process that reads windows.
    codes = keras.Input(shapes.window, dtype="int16", name="windows")
    partner = keras.Input((), dtype="int32", name="partner")
    weight = keras.Input((), dtype="float32", name="weight")
    changes = Augment.inputs()
    images = to_image(ops.cast(codes, "float32") / CODES_PER_DECIBEL)
    mixed = Mixup(dtype="float32", name="mixup")(images, partner, weight)
    changed = Augment(dtype="float32", name="augment")(mixed, changes)
    inputs = {"windows": codes, "partner": partner, "weight": weight, **changes}
    trainer = keras.Model(inputs, head(network(changed)))
    scores = head(network(to_image(windows)))
    scorer = keras.Model(windows, ops.mean(scores, axis=1) if frames else scores)
    return scorer, trainer
