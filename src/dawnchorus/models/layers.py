"""Layers before the backbone: images, mixup and augmentation."""

import keras
from keras import layers, ops


class ToImage(layers.Layer):
    """Convert windows in dB, of any float type, to float32 images with mean 0, variance 1 and one channel.

    (Batch, Frames, Mels) -> (Batch, Image frames, Image mels, 1). Windows are resized bilinearly, then standardized.
    The standard deviation is taken as at least 1 / sqrt(pixels), as in `tf.image.per_image_standardization`, so a
    constant window becomes zeros.
    """

    def __init__(self, shape: tuple[int, int], **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.shape = shape

    def call(self, windows: keras.KerasTensor) -> keras.KerasTensor:
        image = ops.expand_dims(ops.cast(windows, "float32"), -1)
        if self.shape != tuple(windows.shape[1:]):
            image = ops.image.resize(image, self.shape, data_format="channels_last")
        image = image - ops.mean(image, axis=(1, 2), keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(image), axis=(1, 2), keepdims=True))
        return image / ops.maximum(deviation, (self.shape[0] * self.shape[1]) ** -0.5)


class Mixup(layers.Layer):
    """Mix each image of a batch with a partner (Zhang et al. 2018, arXiv:1710.09412).

    image (Batch, Frames, Mels, 1), partner (Batch,), the row of each image's partner, and weight (Batch,), that of the
    image itself -> (Batch, Frames, Mels, 1).
    """

    def call(
        self, image: keras.KerasTensor, partner: keras.KerasTensor, weight: keras.KerasTensor
    ) -> keras.KerasTensor:
        own = ops.reshape(weight, (-1, 1, 1, 1))
        return own * image + (1 - own) * ops.take(image, partner, axis=0)


class Augment(layers.Layer):
    """Apply the changes that `training.augmentation.draw_changes` draws to standardized images.

    (Batch, Frames, Mels, 1) -> the same shape. Contrast and brightness change first, then the image is flipped, then
    stretches and bands are silenced: they get the image's lowest value.
    """

    @staticmethod
    def inputs() -> dict[str, keras.KerasTensor]:
        """Inputs of a model for the changes, by name, (Batch, ...) each."""
        return {
            "silent_frames": keras.Input((None, 2), dtype="int32", name="silent_frames"),
            "silent_mels": keras.Input((None, 2), dtype="int32", name="silent_mels"),
            "brightness": keras.Input((), dtype="float32", name="brightness"),
            "contrast": keras.Input((), dtype="float32", name="contrast"),
            "flip": keras.Input((2,), dtype="bool", name="flip"),
        }

    def call(self, image: keras.KerasTensor, changes: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
        contrast, brightness = (ops.reshape(changes[key], (-1, 1, 1, 1)) for key in ("contrast", "brightness"))
        mean = ops.mean(image, axis=(1, 2), keepdims=True)
        image = mean + contrast * (image - mean) + brightness
        for axis in (1, 2):
            flip = ops.reshape(changes["flip"][:, axis - 1], (-1, 1, 1, 1))
            image = ops.where(flip, ops.flip(image, axis=axis), image)
        silent_frames = _covered(changes["silent_frames"], image.shape[1])[:, :, None, None]
        silent_mels = _covered(changes["silent_mels"], image.shape[2])[:, None, :, None]
        silence = ops.min(image, axis=(1, 2), keepdims=True)
        return ops.where(ops.logical_or(silent_frames, silent_mels), silence, image)


def _covered(stretches: keras.KerasTensor, length: int) -> keras.KerasTensor:
    """Starts and ends (Batch, Stretches, 2) -> (Batch, Length), true within any stretch."""
    position = ops.arange(length, dtype="int32")
    inside = ops.logical_and(position >= stretches[:, :, :1], position < stretches[:, :, 1:])
    return ops.any(inside, axis=1)
