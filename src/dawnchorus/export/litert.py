"""LiteRT files."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.export.request import Quantization, Runner


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
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise InputError(
            "the exported file cannot be compared with the model: install ai-edge-litert, which the extra `litert` has"
        ) from error
    interpreter = Interpreter(str(path), num_threads=1)
    samples_in, scores_out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(samples_in["index"], (1, int(samples_in["shape_signature"][1])))
    interpreter.allocate_tensors()

    def run(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.set_tensor(samples_in["index"], samples[None])
        interpreter.invoke()
        return interpreter.get_tensor(scores_out["index"])[0].copy()

    return run
