"""Keras's EfficientNetB3 without its top; it rescales 0 to 255 itself."""

import keras
from keras import ops

from dawnchorus.models.pictures import picture_backbone

# Keras's own limit.
SMALLEST_IMAGE = 32
NETWORK = keras.applications.EfficientNetB3

# Of the pixels of ImageNet's photographs in RGB, 1 being white; as in Keras's EfficientNet.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def efficientnet_range(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """0 to 255, with differences from ImageNet's mean divided by the root of its deviation.

    EfficientNet rescales and normalizes by itself, but Keras adds this last step, which its weights were trained with,
    only where it loads them itself; we load them into a network that was built without.
    """
    mean = 255 * ops.convert_to_tensor(IMAGENET_MEAN, "float32")
    return mean + (pixels - mean) / ops.sqrt(ops.convert_to_tensor(IMAGENET_DEVIATION, "float32"))


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    return picture_backbone("efficientnet", NETWORK, efficientnet_range, (frames, n_mels), frequency_channel)
