"""Three convolutions with pooling, then one over all mel bands. 0.2 million weights; trains on a CPU."""

import keras
from keras import layers

from dawnchorus.models.blocks import convolve, convolve_all_bands, prepare

# With smaller images, pooling leaves no features.
SMALLEST_IMAGE = 24


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    image = keras.Input((frames, n_mels, 1))
    x = prepare(image, frequency_channel)
    for filters in (16, 32, 64):
        x = layers.MaxPooling2D(2)(convolve(x, filters, 3))
    return keras.Model(image, convolve_all_bands(x, 128), name="small_cnn")
