"""Random changes of training images: drawn here, as numbers, and applied by `model.Augment`."""

import numpy as np
from numpy.typing import NDArray

from dawnchorus import params
from dawnchorus.windows import Shapes


def draw_changes(settings: params.Augment, shapes: Shapes, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw the changes of one image: 0 to `settings.most` of `settings.choices`, each at most once.

    Args:
        settings: which there are, and how strong.
        shapes: of the window, whose frames and mel bands the settings mean, and of the image.
        rng: draws them.

    Returns:
        silent_frames (Stretches, 2) int32: begin and end of stretches of the image that are silenced, the end not
            included; empty ones, from 0 to 0, fill up.
        silent_mels (Bands, 2) int32: likewise across frequency.
        brightness () float32: is added.
        contrast () float32: differences from the image's mean are multiplied by it.
        flip (2,) bool: whether time and frequency are reversed.
    """
    (frames, mels), (image_frames, image_mels) = shapes.window, shapes.image
    most = min(settings.most, len(settings.choices))
    chosen = rng.permutation(settings.choices)[: rng.integers(0, most + 1)]
    silent_frames = np.zeros((settings.time_dropout_cuts + settings.time_masks, 2), np.float64)
    silent_mels = np.zeros((settings.frequency_masks, 2), np.float64)
    if "time_dropout" in chosen:
        widths = np.full(settings.time_dropout_cuts, int(settings.time_dropout_width * frames))
        silent_frames[: len(widths)] = _stretches(widths, frames, rng)
    if "time_masks" in chosen:
        widths = rng.integers(0, settings.time_mask_frames + 1, settings.time_masks)
        silent_frames[-len(widths) :] = _stretches(widths, frames, rng)
    if "frequency_masks" in chosen:
        widths = rng.integers(0, settings.frequency_mask_mels + 1, settings.frequency_masks)
        silent_mels[:] = _stretches(widths, mels, rng)
    brightness = rng.uniform(-settings.brightness, settings.brightness) if "brightness" in chosen else 0.0
    contrast = rng.uniform(settings.contrast_low, settings.contrast_high) if "contrast" in chosen else 1.0
    return {
        "silent_frames": np.rint(silent_frames * image_frames / frames).astype(np.int32),
        "silent_mels": np.rint(silent_mels * image_mels / mels).astype(np.int32),
        "brightness": np.array(brightness, np.float32),
        "contrast": np.array(contrast, np.float32),
        "flip": np.array([name in chosen for name in ("flip_time", "flip_frequency")]),
    }


def _stretches(widths: NDArray[np.integer], length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Begins and ends, shape [Widths, 2], of stretches of these widths anywhere within 0 to `length`."""
    begins = rng.integers(0, length - widths + 1)
    return np.stack([begins, begins + widths], axis=1)
