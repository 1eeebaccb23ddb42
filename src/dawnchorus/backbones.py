"""The backbones: convolutional networks that turn a window's image into a map of features."""

from collections.abc import Callable

import keras
from keras import layers, ops

from dawnchorus.applications import APPLICATIONS
from dawnchorus.params import BackboneName

# Of the running means: Keras's 0.99 would still hold the first steps of a training of some hundred.
MOMENTUM = 0.9
# Name of the layer that is Keras's network within a backbone.
APPLICATION = "application"


class FrequencyPosition(layers.Layer):
    """Where in frequency each pixel lies, from -1 to 1 (Liu et al. 2018, arXiv:1807.03247).

    (Batch, Frames, Mels, Channels) -> (Batch, Frames, Mels, 1).
    """

    def call(self, image: keras.KerasTensor) -> keras.KerasTensor:
        position = ops.linspace(-1, 1, image.shape[2], dtype=image.dtype)
        return ops.ones_like(image[..., :1]) * position[:, None]


def small_cnn(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Three convolutions, each with pooling, and one over all bands: 0.2 million weights, learns on a CPU."""
    image = keras.Input((frames, n_mels, 1))
    x = _prepare(image, frequency_channel)
    for filters in (16, 32, 64):
        x = layers.MaxPooling2D(2)(_convolve(x, filters, 3))
    return keras.Model(image, _convolve_all_bands(x, 128), name="small_cnn")


def small_resnet(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """A stem, two residual blocks and a convolution over all bands: 0.3 million weights, learns on a CPU."""
    image = keras.Input((frames, n_mels, 1))
    x = _convolve(_prepare(image, frequency_channel), 24, 5, strides=2)
    for filters in (32, 64):
        x = layers.MaxPooling2D(2)(x)
        shortcut = layers.Conv2D(filters, 1, use_bias=False)(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(_convolve(x, filters, 3))
        x = layers.BatchNormalization(momentum=MOMENTUM)(x)
        x = layers.ReLU()(layers.Add()([x, shortcut]))
    return keras.Model(image, _convolve_all_bands(x, 128), name="small_resnet")


def inception(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Keras's InceptionV3 without its top; its ImageNet weights expect -1 to 1."""
    return _application("inception", frames, n_mels, frequency_channel)


def efficientnet(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Keras's EfficientNetB3 without its top; it rescales 0 to 255 itself."""
    return _application("efficientnet", frames, n_mels, frequency_channel)


def resnet(frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    """Keras's ResNet50 without its top; its ImageNet weights expect 0 to 255 in BGR less ImageNet's means."""
    return _application("resnet", frames, n_mels, frequency_channel)


BACKBONES: dict[BackboneName, Callable[[int, int, bool], keras.Model]] = {
    "small_cnn": small_cnn,
    "small_resnet": small_resnet,
    "inception": inception,
    "efficientnet": efficientnet,
    "resnet": resnet,
}


def build_backbone(name: BackboneName, frames: int, n_mels: int, frequency_channel: bool = False) -> keras.Model:
    """Build a backbone with new weights.

    Args:
        name: one of `BACKBONES`.
        frames: frames of a window.
        n_mels: mel bands.
        frequency_channel: whether its convolutions also see where in frequency each pixel lies.

    Returns:
        A model from images (Batch, Frames, Mels, 1), standardized, to features (Batch, Time, Frequency, Channels).
    """
    return BACKBONES[name](frames, n_mels, frequency_channel)


def _prepare(image: keras.KerasTensor, frequency_channel: bool) -> keras.KerasTensor:
    """Each mel band normalized, and the position in frequency as a second channel."""
    x = _normalize_bands(image)
    return layers.Concatenate()([x, FrequencyPosition()(x)]) if frequency_channel else x


def _normalize_bands(image: keras.KerasTensor) -> keras.KerasTensor:
    """Batch normalization of each mel band, which takes steady noise out of it (Kong et al. 2020, arXiv:1912.10211)."""
    x = layers.Permute((1, 3, 2))(image)
    x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.Permute((1, 3, 2))(x)


def _convolve(x: keras.KerasTensor, filters: int, size: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))


def _convolve_all_bands(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """A convolution as high as the image: it sees at which frequency something is, which the others do not."""
    x = layers.Conv2D(filters, (3, x.shape[2]), use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))


def _application(name: str, frames: int, n_mels: int, frequency_channel: bool) -> keras.Model:
    network, to_own_range = APPLICATIONS[name]
    image = keras.Input((frames, n_mels, 1))
    # As a picture: frequency from top to bottom, time from left to right.
    x = layers.Concatenate()([layers.Permute((2, 1, 3))(image)] * 3)
    # 0 to 255 with about ImageNet's mean and contrast (a logistic's slope is 1/4), nothing cut off.
    x = 255 * ops.sigmoid(x)
    if frequency_channel:
        # In place of one of three equal channels: a fourth would have no ImageNet weights.
        position = layers.Permute((2, 1, 3))(FrequencyPosition()(image))
        x = layers.Concatenate()([x[..., :2], 127.5 * (position + 1)])
    x = to_own_range(x)
    x = network(include_top=False, weights=None, input_shape=(n_mels, frames, 3), pooling=None, name=APPLICATION)(x)
    return keras.Model(image, layers.Permute((2, 1, 3))(x), name=name)
