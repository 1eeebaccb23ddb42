"""Spectrograms as pictures, for Keras's applications with ImageNet weights."""

from collections.abc import Callable

import keras
from keras import layers, ops

from dawnchorus.models.blocks import FrequencyPosition

# Name of the layer that is Keras's network within a backbone; pretrained weights go there.
APPLICATION = "application"


class ToPixels(layers.Layer):
    """Standardized values -> 0 to 255 with about ImageNet's mean and contrast; nothing is cut off.

    A logistic function's slope at 0 is 1/4. A layer, because Keras takes a number times a symbolic tensor for sparse,
    which JAX cannot subtract from.
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
        name: of the backbone.
        network: the application.
        to_own_range: from 0 to 255 in RGB to the range that the application's ImageNet weights expect.
        shape: (Frames, Mels) of an image.
        frequency_channel: whether one of three equal channels is the position in frequency.

    Returns:
        A model from images (Batch, Frames, Mels, 1) to features (Batch, Time, Frequency, Channels).
    """
    frames, n_mels = shape
    image = keras.Input((frames, n_mels, 1))
    # As a picture: frequency from top to bottom, time from left to right.
    x = layers.Concatenate()([layers.Permute((2, 1, 3))(image)] * 3)
    x = ToPixels()(x)
    if frequency_channel:
        # In place of one of three equal channels: a fourth would have no ImageNet weights.
        position = layers.Permute((2, 1, 3))(FrequencyPosition()(image))
        x = layers.Concatenate()([x[..., :2], 127.5 * (position + 1)])
    x = to_own_range(x)
    x = network(include_top=False, weights=None, input_shape=(n_mels, frames, 3), pooling=None, name=APPLICATION)(x)
    return keras.Model(image, layers.Permute((2, 1, 3))(x), name=name)
