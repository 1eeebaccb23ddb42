"""The model: from spectrogram windows to a score for each species."""

from pathlib import Path

import keras
from keras import layers, ops

from dawnchorus.backbones import build_backbone
from dawnchorus.errors import InputError
from dawnchorus.params import BackboneName


class Standardize(layers.Layer):
    """Windows in dB of any float type -> images with mean 0 and variance 1 each, float32, one channel.

    (Batch, Frames, Mels) -> (Batch, Frames, Mels, 1). The standard deviation counts at least as 1 / sqrt(pixels), as in
    `tf.image.per_image_standardization`, so a constant window gives zeros.
    """

    def call(self, windows: keras.KerasTensor) -> keras.KerasTensor:
        image = ops.cast(windows, "float32")
        image = image - ops.mean(image, axis=(1, 2), keepdims=True)
        pixels = image.shape[1] * image.shape[2]
        deviation = ops.sqrt(ops.mean(ops.square(image), axis=(1, 2), keepdims=True))
        return ops.expand_dims(image / ops.maximum(deviation, pixels**-0.5), -1)


class Mixup(layers.Layer):
    """Mix each image of a batch with a partner (Zhang et al. 2018, arXiv:1710.09412).

    image (Batch, Frames, Mels, 1), partner (Batch,) of row numbers, weight (Batch,) of the image's own part
    -> (Batch, Frames, Mels, 1).
    """

    def call(
        self, image: keras.KerasTensor, partner: keras.KerasTensor, weight: keras.KerasTensor
    ) -> keras.KerasTensor:
        own = ops.reshape(weight, (-1, 1, 1, 1))
        return own * image + (1 - own) * ops.take(image, partner, axis=0)


class AttentionHead(layers.Layer):
    """Features -> a probability for each species: mean over frequency, dropout, attention over time, sigmoid.

    (Batch, Time, Frequency, Channels) -> (Batch, Species). At each time a 1x1 convolution scores the species and
    another weighs the time for each of them; the weights' logits are clipped to +-10 and go through a softmax over
    time.
    """

    def __init__(self, n_species: int, dropout: float, seed: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.dropout = layers.Dropout(dropout, seed=seed)
        self.attention = layers.Conv1D(n_species, 1)
        self.scores = layers.Conv1D(n_species, 1)

    def build(self, shape: tuple[int | None, ...]) -> None:
        over_time = (shape[0], shape[1], shape[3])
        self.attention.build(over_time)
        self.scores.build(over_time)
        self.built = True

    def call(self, features: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        over_time = self.dropout(ops.mean(features, axis=2), training=training)
        attention = ops.softmax(ops.clip(self.attention(over_time), -10, 10), axis=1)
        return ops.sigmoid(ops.sum(attention * self.scores(over_time), axis=1))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], self.scores.filters)


def build_models(
    backbone: BackboneName, frames: int, n_mels: int, n_species: int, dropout: float, seed: int
) -> tuple[keras.Model, keras.Model]:
    """Build the model for scoring and, over the same weights, the one for training.

    Args:
        backbone: a name of the registry.
        frames: frames of a window.
        n_mels: mel bands.
        n_species: number of species.
        dropout: part of the features that training drops.
        seed: of the initial weights and the dropout.

    Returns:
        scorer: windows (Batch, Frames, Mels) in dB, float16 -> scores (Batch, Species).
        trainer: a dictionary of "windows" as above, "partner" (Batch,) and "weight" (Batch,) for mixup -> scores.
    """
    keras.utils.set_random_seed(seed)
    standardize = Standardize(name="standardize")
    network = build_backbone(backbone, frames, n_mels)
    head = AttentionHead(n_species, dropout, seed, name="head")

    windows = keras.Input((frames, n_mels), dtype="float16", name="windows")
    partner = keras.Input((), dtype="int32", name="partner")
    weight = keras.Input((), dtype="float32", name="weight")
    mixed = Mixup(name="mixup")(standardize(windows), partner, weight)
    trainer = keras.Model({"windows": windows, "partner": partner, "weight": weight}, head(network(mixed)))
    scorer = keras.Model(windows, head(network(standardize(windows))))
    return scorer, trainer


def load_weights(model: keras.Model, path: Path) -> None:
    """Load a model's weights in place.

    Raises:
        InputError: the file is missing or damaged, or holds the weights of another model.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: holds no weights for this model: {reason}; delete the file and run again") from error
