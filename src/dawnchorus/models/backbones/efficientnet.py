"""Keras's EfficientNetB3 without its top layers. It rescales inputs from 0 to 255 itself."""

import keras
from keras import layers, ops

from dawnchorus.models.pictures import picture_backbone

# Keras's minimum.
SMALLEST_IMAGE = 32
NETWORK = keras.applications.EfficientNetB3

# Mean and standard deviation of ImageNet's pixels in RGB, where white is 1; as in Keras's EfficientNet.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class EfficientNetRange(layers.Layer):
    """Scale 0 to 255 to what EfficientNet's ImageNet weights expect: x -> mean + (x - mean) / sqrt(deviation).

    EfficientNet rescales and normalizes its inputs. The ImageNet weights were trained with this additional step, which
    Keras adds only when it loads them itself; here, they are loaded into a network that was built without weights. It
    is a layer because JAX cannot combine its own arrays with a Keras model's symbolic tensors outside of one.
    """

    def __init__(self, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.mean = 255 * ops.convert_to_tensor(IMAGENET_MEAN, "float32")
        self.root = ops.sqrt(ops.convert_to_tensor(IMAGENET_DEVIATION, "float32"))

    def call(self, pixels: keras.KerasTensor) -> keras.KerasTensor:
        return self.mean + (pixels - self.mean) / self.root


def efficientnet_range(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Apply `EfficientNetRange` to pixels from 0 to 255, in any shape with RGB on the last axis."""
    return EfficientNetRange()(pixels)


def build(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Build the network with new weights; shapes as in `models.backbones`."""
    return picture_backbone("efficientnet", NETWORK, efficientnet_range, (frames, n_mels), frequency_channel)
