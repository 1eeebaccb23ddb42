"""Find a backbone's module by name, and build the backbone."""

import importlib
from types import ModuleType

import keras

from dawnchorus.models.declarations import declaration

# Keras's defaults, whatever the user's keras.json says. Every program that builds a model imports this module before.
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")


def backbone_module(name: str) -> ModuleType:
    """The module of a backbone; see `models.backbones` for what it defines.

    Raises:
        InputError: there is no such module, or it lacks `SMALLEST_IMAGE` or `build`.
    """
    declaration(name)
    return importlib.import_module(f"dawnchorus.models.backbones.{name}")


def build_backbone(name: str, frames: int, n_mels: int, frequency_channel: bool = False) -> keras.Model:
    """Build a backbone with new weights.

    Args:
        name: name of its module in `models/backbones/`.
        frames: number of frames of an image.
        n_mels: number of mel bands of an image.
        frequency_channel: whether to add a channel with the position in frequency.

    Returns:
        A model from standardized images (Batch, Frames, Mels, 1) to features (Batch, Time, Frequency, Channels).

    Raises:
        InputError: as in `backbone_module`.
    """
    return backbone_module(name).build(frames, n_mels, frequency_channel)
