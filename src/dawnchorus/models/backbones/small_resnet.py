"""A stem, two residual blocks, then a convolution over all mel bands. 0.3 million weights; trains on a CPU."""

import keras
from keras import layers

from dawnchorus.models.blocks import MOMENTUM, convolve, convolve_all_bands, prepare

# With smaller images, pooling leaves no features.
SMALLEST_IMAGE = 24


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    image = keras.Input((frames, n_mels, 1))
    x = convolve(prepare(image, frequency_channel), 24, 5, strides=2)
    for filters in (32, 64):
        x = layers.MaxPooling2D(2)(x)
        shortcut = layers.Conv2D(filters, 1, use_bias=False)(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(convolve(x, filters, 3))
        x = layers.BatchNormalization(momentum=MOMENTUM)(x)
        x = layers.ReLU()(layers.Add()([x, shortcut]))
    return keras.Model(image, convolve_all_bands(x, 128), name="small_resnet")
