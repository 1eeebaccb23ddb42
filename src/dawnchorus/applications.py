"""Keras's networks that come with ImageNet weights."""

from collections.abc import Callable

import keras

# The network, and its function from 0 to 255 in RGB to the range that its ImageNet weights were trained on.
APPLICATIONS: dict[str, tuple[Callable[..., keras.Model], Callable[[keras.KerasTensor], keras.KerasTensor]]] = {
    "inception": (keras.applications.InceptionV3, keras.applications.inception_v3.preprocess_input),
    "efficientnet": (keras.applications.EfficientNetB3, keras.applications.efficientnet.preprocess_input),
    "resnet": (keras.applications.ResNet50, keras.applications.resnet.preprocess_input),
}
