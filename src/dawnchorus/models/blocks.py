"""Building blocks that backbones share."""

import keras
from keras import layers, ops

# Of batch normalization's running means. Keras's 0.99 adapts too slowly for a training of a few hundred steps.
MOMENTUM = 0.9


class FrequencyPosition(layers.Layer):
    """The position of each pixel in frequency, from -1 to 1 (Liu et al. 2018, arXiv:1807.03247).

    (Batch, Frames, Mels, Channels) -> (Batch, Frames, Mels, 1).
    """

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        position = ops.linspace(-1, 1, image.shape[2], dtype=image.dtype)
        return ops.ones_like(image[..., :1]) * position[:, None]


def prepare(image: keras.KerasTensor, frequency_channel: bool) -> keras.KerasTensor:
    """Normalize each mel band and, with `frequency_channel`, add the position in frequency as a second channel."""
    x = normalize_bands(image)
    return layers.Concatenate()([x, FrequencyPosition()(x)]) if frequency_channel else x


def normalize_bands(image: keras.KerasTensor) -> keras.KerasTensor:
    """Batch-normalize each mel band, which removes steady noise (Kong et al. 2020, arXiv:1912.10211)."""
    x = layers.Permute((1, 3, 2))(image)
    x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.Permute((1, 3, 2))(x)


def convolve(x: keras.KerasTensor, filters: int, size: int, strides: int = 1) -> keras.KerasTensor:
    """A convolution, batch normalization and ReLU."""
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))


def convolve_all_bands(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """A convolution over the full height of the image. Unlike the others, it depends on a pattern's frequency."""
    x = layers.Conv2D(filters, (3, x.shape[2]), use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
