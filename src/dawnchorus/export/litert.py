"""LiteRT files."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dawnchorus.export.request import Quantization, Runner
from dawnchorus.litert import LiteModel


def write_litert(model: keras.Model, path: Path, quantization: Quantization) -> None:
    """Convert a model to a LiteRT file."""
    settings: dict[str, Any] = {} if quantization == "none" else {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if quantization == "float16":
        settings["target_spec"] = {"supported_types": [tf.float16]}
    # A converter that is made of a function of the model, instead of a saved one, gives NaN for all sounds.
    model.export(path, format="litert", verbose=False, **settings)


def load_litert(path: Path) -> Runner:
    """Load a LiteRT file, for one thread.

    Raises:
        InputError: LiteRT is not installed.
        ValueError: LiteRT cannot read the file.
    """
    model = LiteModel(path, threads=1)
    return lambda samples: model(samples[None])[0]
