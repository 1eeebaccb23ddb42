"""The model: from spectrogram windows to a score for each species."""

import math
from pathlib import Path

import keras
from keras import layers, ops

from dawnchorus.backbones import APPLICATION, build_backbone
from dawnchorus.params import BackboneName, Pooling
from dawnchorus.weights import load_weights
from dawnchorus.windows import Shapes


class ToImage(layers.Layer):
    """Windows in dB of any float type -> images with mean 0 and variance 1 each, float32, one channel.

    (Batch, Frames, Mels) -> (Batch, Image frames, Image mels, 1), resized bilinearly first. The standard deviation
    counts at least as 1 / sqrt(pixels), as in `tf.image.per_image_standardization`, so a constant window gives zeros.
    """

    def __init__(self, shape: tuple[int, int], **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.shape = shape

    def call(self, windows: keras.KerasTensor) -> keras.KerasTensor:
        image = ops.expand_dims(ops.cast(windows, "float32"), -1)
        if self.shape != tuple(windows.shape[1:]):
            image = ops.image.resize(image, self.shape, data_format="channels_last")
        image = image - ops.mean(image, axis=(1, 2), keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(image), axis=(1, 2), keepdims=True))
        return image / ops.maximum(deviation, (self.shape[0] * self.shape[1]) ** -0.5)


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


class Augment(layers.Layer):
    """Apply what `augment.draw_changes` drew to standardized images: (Batch, Frames, Mels, 1) -> the same shape.

    Contrast and brightness come first, then the flips. What is silenced gets its image's lowest value.
    """

    def call(self, image: keras.KerasTensor, changes: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
        contrast, brightness = (ops.reshape(changes[key], (-1, 1, 1, 1)) for key in ("contrast", "brightness"))
        mean = ops.mean(image, axis=(1, 2), keepdims=True)
        image = mean + contrast * (image - mean) + brightness
        for axis in (1, 2):
            flip = ops.reshape(changes["flip"][:, axis - 1], (-1, 1, 1, 1))
            image = ops.where(flip, ops.flip(image, axis=axis), image)
        silent_frames = _covered(changes["silent_frames"], image.shape[1])[:, :, None, None]
        silent_mels = _covered(changes["silent_mels"], image.shape[2])[:, None, :, None]
        silence = ops.min(image, axis=(1, 2), keepdims=True)
        return ops.where(ops.logical_or(silent_frames, silent_mels), silence, image)


def _covered(stretches: keras.KerasTensor, length: int) -> keras.KerasTensor:
    """(Batch, Stretches, 2) of begins and ends -> (Batch, Length), true within any stretch."""
    position = ops.arange(length, dtype="int32")
    inside = ops.logical_and(position >= stretches[:, :, :1], position < stretches[:, :, 1:])
    return ops.any(inside, axis=1)


class Head(layers.Layer):
    """Features -> a probability for each species: mean over frequency, dropout, scores, pooling over time, sigmoid.

    (Batch, Time, Frequency, Channels) -> (Batch, Species), or, with `frames`, (Batch, 2, Species), the second being the
    maximum over time of each frame's own probability. At each time a 1x1 convolution scores the species. Pooling:

    - attention: another one weighs the time for each species; the weights' logits are clipped to +-10 and go through a
      softmax over time.
    - log_mean_exp: the logarithm of the mean of exponentials (Pinheiro and Collobert 2015, arXiv:1411.6228).
    """

    def __init__(
        self, n_species: int, dropout: float, seed: int, pooling: Pooling, frames: bool, **kwargs: object
    ) -> None:
        # Probabilities near 0 and 1 need float32 where the rest computes in half precision.
        super().__init__(dtype="float32", **kwargs)
        self.pooling, self.frames = pooling, frames
        self.dropout = layers.Dropout(dropout, seed=seed, dtype="float32")
        if pooling == "attention":
            self.attention = layers.Conv1D(n_species, 1, dtype="float32")
        self.scores = layers.Conv1D(n_species, 1, dtype="float32")

    def build(self, shape: tuple[int | None, ...]) -> None:
        over_time = (shape[0], shape[1], shape[3])
        if self.pooling == "attention":
            self.attention.build(over_time)
        self.scores.build(over_time)
        self.built = True

    def call(self, features: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        over_time = self.dropout(ops.mean(features, axis=2), training=training)
        scores = self.scores(over_time)
        if self.pooling == "attention":
            attention = ops.softmax(ops.clip(self.attention(over_time), -10, 10), axis=1)
            pooled = ops.sum(attention * scores, axis=1)
        else:
            pooled = ops.logsumexp(scores, axis=1) - math.log(scores.shape[1])
        return ops.sigmoid(ops.stack([pooled, ops.max(scores, axis=1)], axis=1) if self.frames else pooled)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], 2, self.scores.filters) if self.frames else (shape[0], self.scores.filters)


def build_models(
    backbone: BackboneName,
    shapes: Shapes,
    n_species: int,
    dropout: float,
    seed: int,
    frequency_channel: bool = False,
    pooling: Pooling = "attention",
    frames: bool = False,
) -> tuple[keras.Model, keras.Model]:
    """Build the model for scoring and, over the same weights, the one for training.

    Args:
        backbone: a name of the registry.
        shapes: of a window and of its image.
        n_species: number of species.
        dropout: part of the features that training drops.
        seed: of the initial weights and the dropout.
        frequency_channel: whether the backbone also sees where in frequency each pixel lies.
        pooling: of the frames' scores to the window's.
        frames: whether the highest score of the frames counts beside the window's; the scorer gives the mean of both,
            as participants of BirdCLEF do who train so.

    Returns:
        scorer: windows (Batch, Frames, Mels) in dB, float16 -> scores (Batch, Species).
        trainer: a dictionary of "windows" as above, "partner" (Batch,) and "weight" (Batch,) for mixup, and what
            `augment.draw_changes` gives, (Batch, ...) each -> scores, with `frames` (Batch, 2, Species) of window and
            frames.
    """
    keras.utils.set_random_seed(seed)
    to_image = ToImage(shapes.image, name="image")
    network = build_backbone(backbone, *shapes.image, frequency_channel)
    head = Head(n_species, dropout, seed, pooling, frames, name="head")

    windows = keras.Input(shapes.window, dtype="float16", name="windows")
    partner = keras.Input((), dtype="int32", name="partner")
    weight = keras.Input((), dtype="float32", name="weight")
    changes = {
        "silent_frames": keras.Input((None, 2), dtype="int32", name="silent_frames"),
        "silent_mels": keras.Input((None, 2), dtype="int32", name="silent_mels"),
        "brightness": keras.Input((), dtype="float32", name="brightness"),
        "contrast": keras.Input((), dtype="float32", name="contrast"),
        "flip": keras.Input((2,), dtype="bool", name="flip"),
    }
    mixed = Mixup(dtype="float32", name="mixup")(to_image(windows), partner, weight)
    changed = Augment(dtype="float32", name="augment")(mixed, changes)
    inputs = {"windows": windows, "partner": partner, "weight": weight, **changes}
    trainer = keras.Model(inputs, head(network(changed)))
    scores = head(network(to_image(windows)))
    scorer = keras.Model(windows, ops.mean(scores, axis=1) if frames else scores)
    return scorer, trainer


def load_pretrained(model: keras.Model, backbone: BackboneName, folder: Path) -> None:
    """Load the weights that the stage fetch_weights left in a folder into a model's backbone, in place.

    Args:
        model: one of `build_models`.
        backbone: its backbone's name.
        folder: holds `backbone.weights.h5`, or nothing where the backbone begins with new weights.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / "backbone.weights.h5"
    if path.exists():
        load_weights(model.get_layer(backbone).get_layer(APPLICATION), path)
