"""Keras's networks that come with ImageNet weights."""

from collections.abc import Callable

import keras
from keras import ops

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


# The network, and the function from 0 to 255 in RGB to what its ImageNet weights were trained on.
APPLICATIONS: dict[str, tuple[Callable[..., keras.Model], Callable[[keras.KerasTensor], keras.KerasTensor]]] = {
    "inception": (keras.applications.InceptionV3, keras.applications.inception_v3.preprocess_input),
    "efficientnet": (keras.applications.EfficientNetB3, efficientnet_range),
    "resnet": (keras.applications.ResNet50, keras.applications.resnet.preprocess_input),
}
