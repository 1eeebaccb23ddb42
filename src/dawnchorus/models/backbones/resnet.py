"""Keras's ResNet50 without its top layers. Its ImageNet weights expect BGR, 0 to 255 minus ImageNet's means."""

import keras

from dawnchorus.models.pictures import picture_backbone

# Keras's minimum.
SMALLEST_IMAGE = 32
NETWORK = keras.applications.ResNet50


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    to_own_range = keras.applications.resnet.preprocess_input
    return picture_backbone("resnet", NETWORK, to_own_range, (frames, n_mels), frequency_channel)
