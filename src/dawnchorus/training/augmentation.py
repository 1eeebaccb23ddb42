"""Random augmentation of training images: parameters are drawn here and applied by `models.layers.Augment`."""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.augment import Augment, Augmentation
from dawnchorus.models.shapes import Shapes


def draw_changes(settings: Augment, shapes: Shapes, n_images: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw the augmentations of each image: 0 to `settings.most` different ones of `settings.choices`.

    Args:
        settings: the augmentations to choose from, and their strengths.
        shapes: shapes of windows and images. Widths in `settings` are in frames and mel bands of the window; the
            returned positions are in those of the image.
        n_images: number of images.
        rng: random generator.

    Returns:
        silent_frames (Images, Stretches, 2) int32: start and exclusive end of the time stretches to silence; 0 and 0
            for none.
        silent_mels (Images, Bands, 2) int32: the same for frequency bands.
        brightness (Images,) float32: value to add.
        contrast (Images,) float32: factor for differences from the image's mean.
        flip (Images, 2) bool: whether to reverse time and frequency.
    """
    (frames, mels), (image_frames, image_mels) = shapes.window, shapes.image
    how_many = rng.integers(0, min(settings.most, len(settings.choices)) + 1, n_images)
    rank = rng.random((n_images, len(settings.choices))).argsort(axis=1).argsort(axis=1)
    chosen = {name: np.zeros(n_images, bool) for name in get_args(Augmentation)}
    chosen |= {name: rank[:, number] < how_many for number, name in enumerate(settings.choices)}

    cuts = np.full((n_images, settings.time_dropout_cuts), int(settings.time_dropout_width * frames))
    time_masks = rng.integers(0, settings.time_mask_frames + 1, (n_images, settings.time_masks))
    mel_masks = rng.integers(0, settings.frequency_mask_mels + 1, (n_images, settings.frequency_masks))
    widths = np.hstack([cuts * chosen["time_dropout"][:, None], time_masks * chosen["time_masks"][:, None]])
    brightness = rng.uniform(-settings.brightness, settings.brightness, n_images)
    contrast = rng.uniform(settings.contrast_low, settings.contrast_high, n_images)
    return {
        "silent_frames": _stretches(widths, frames, image_frames, rng),
        "silent_mels": _stretches(mel_masks * chosen["frequency_masks"][:, None], mels, image_mels, rng),
        "brightness": np.where(chosen["brightness"], brightness, 0).astype(np.float32),
        "contrast": np.where(chosen["contrast"], contrast, 1).astype(np.float32),
        "flip": np.stack([chosen["flip_time"], chosen["flip_frequency"]], axis=1),
    }


def _stretches(
    widths: NDArray[np.integer], length: int, image_length: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Draw the positions of stretches within 0 to `length`; return starts and ends on the image, shape [..., 2]."""
    begins = rng.integers(0, np.maximum(length - widths, 0) + 1)
    stretches = np.stack([begins, begins + widths], axis=-1)
    return np.where(widths[..., None] > 0, np.rint(stretches * image_length / length), 0).astype(np.int32)
