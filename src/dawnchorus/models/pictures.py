"""Spectrograms as RGB pictures, for Keras's applications with ImageNet weights."""

from collections.abc import Callable

import keras
from keras import layers, ops

from dawnchorus.models.blocks import FrequencyPosition

# Name of the layer that is Keras's network in a backbone; pretrained weights are loaded into it.
APPLICATION = "application"


class ToPixels(layers.Layer):
    """Map standardized values to 0 to 255, with about ImageNet's mean and contrast and without clipping.

    The logistic function's slope at 0 is 1/4, about ImageNet's standard deviation on a scale from 0 to 1. It is a layer
    because Keras treats a number times a symbolic tensor as sparse, and JAX cannot subtract from a sparse tensor.
    """

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        return 255 * ops.sigmoid(image)


def picture_backbone(
    name: str,
    network: Callable[..., keras.Model],
    to_own_range: Callable[[keras.KerasTensor], keras.KerasTensor],
    shape: tuple[int, int],
    frequency_channel: bool,
) -> keras.Model:
    """Build a backbone around one of Keras's applications, with new weights.

    Args:
        name: name of the backbone.
        network: the application.
        to_own_range: maps RGB pixels from 0 to 255 to the range that the application's ImageNet weights expect.
        shape: (Frames, Mels) of an image.
        frequency_channel: whether the position in frequency replaces one of the three identical channels.

    Returns:
        A model from images (Batch, Frames, Mels, 1) to features (Batch, Time, Frequency, Channels).
    """
    frames, n_mels = shape
    image = keras.Input((frames, n_mels, 1))
    # A picture has frequency from top to bottom and time from left to right.
    x = layers.Concatenate()([layers.Permute((2, 1, 3))(image)] * 3)
    x = ToPixels()(x)
    if frequency_channel:
        # It replaces one of three identical channels because a fourth would have no ImageNet weights.
        position = layers.Permute((2, 1, 3))(FrequencyPosition()(image))
        x = layers.Concatenate()([x[..., :2], 127.5 * (position + 1)])
    x = to_own_range(x)
    x = network(include_top=False, weights=None, input_shape=(n_mels, frames, 3), pooling=None, name=APPLICATION)(x)
    return keras.Model(image, layers.Permute((2, 1, 3))(x), name=name)
