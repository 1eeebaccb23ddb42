"""Keras's InceptionV3 without its top layers. Its ImageNet weights expect inputs from -1 to 1."""

import keras

from dawnchorus.models.pictures import picture_backbone

# Keras's minimum.
SMALLEST_IMAGE = 75
NETWORK = keras.applications.InceptionV3


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    to_own_range = keras.applications.inception_v3.preprocess_input
    return picture_backbone("inception", NETWORK, to_own_range, (frames, n_mels), frequency_channel)
