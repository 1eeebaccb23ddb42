"""Finding a backbone's module by its name, and building it."""

import importlib
from types import ModuleType

import keras

from dawnchorus.models.declarations import declaration


def backbone_module(name: str) -> ModuleType:
    """The module of a backbone; see `models.backbones` for what it defines.

    Raises:
        InputError: there is no such module.
    """
    declaration(name)
    return importlib.import_module(f"dawnchorus.models.backbones.{name}")


def build_backbone(name: str, frames: int, n_mels: int, frequency_channel: bool = False) -> keras.Model:
    """Build a backbone with new weights.

    Args:
        name: of its module in `models/backbones/`.
        frames: frames of an image.
        n_mels: mel bands of an image.
        frequency_channel: whether its convolutions also see the position of each pixel in frequency.

    Returns:
        A model from images (Batch, Frames, Mels, 1), standardized, to features (Batch, Time, Frequency, Channels).

    Raises:
        InputError: there is no such module.
    """
    return backbone_module(name).build(frames, n_mels, frequency_channel)
