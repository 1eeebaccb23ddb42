"""A network as a LiteRT file, with which `dawnchorus detect` scores on a CPU."""

import sys
from pathlib import Path

import keras
import numpy as np

from dawnchorus.litert import LiteModel, can_run_litert

# The largest difference of scores that rounding may make.
TOLERANCE = 1e-4


def write_lite_network(network: keras.Model, name: str, path: Path) -> None:
    """Convert a network to a LiteRT file, and compare its scores with the network's.

    If that cannot be, there is no file, and this says so: `dawnchorus detect` then needs TensorFlow.

    Args:
        network: windows (Batch, Frames, Mels) in dB -> scores (Batch, Species).
        name: of the network.
        path: the file.
    """
    reason = _why_not(network, path)
    if reason:
        path.unlink(missing_ok=True)
        print(f"{name}: has no LiteRT file, so `dawnchorus detect` needs TensorFlow for it: {reason}",
              file=sys.stderr, flush=True)  # fmt: skip


def _why_not(network: keras.Model, path: Path) -> str:
    """Write the file; returns why it cannot be used, or empty text if it can."""
    if keras.backend.backend() != "tensorflow":
        return f"only TensorFlow can convert it, and train.backend is {keras.backend.backend()}"
    if not can_run_litert():
        return "LiteRT is not installed"
    # Noise, silence, the loudest sound, and what no recording has.
    levels, spreads = np.array([-60, -100, 0, -30])[:, None, None], np.array([10, 0, 0, 30])[:, None, None]
    noise = np.random.default_rng(0).normal(0, 1, (len(levels), *network.input_shape[1:]))
    windows = (levels + spreads * noise).astype(np.float32)
    expected = network.predict_on_batch(windows)
    # Each step has exceptions of its own for operations that LiteRT does not have.
    try:
        content = _converted(network)
    except Exception as error:
        return _first_line(error)
    path.write_bytes(content)
    try:
        found = LiteModel(path)(windows)
    except (ValueError, RuntimeError) as error:
        return _first_line(error)
    difference = np.abs(found - expected).max()
    return "" if difference <= TOLERANCE else f"its scores would differ by up to {difference:.2g}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _converted(network: keras.Model) -> bytes:
    """The content of a LiteRT file. With weights as constants, this takes an eighth of the time of `Model.export`."""
    # Other backends run without TensorFlow.
    import tensorflow as tf

    kinds = (network.trainable_variables, network.non_trainable_variables)
    weights = [[keras.ops.convert_to_numpy(variable) for variable in variables] for variables in kinds]

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)], autograph=False)
    def scores(windows: tf.Tensor) -> tf.Tensor:
        constants = [[tf.constant(each) for each in kind] for kind in weights]
        return network.stateless_call(*constants, windows, training=False)[0]

    return tf.lite.TFLiteConverter.from_concrete_functions([scores.get_concrete_function()]).convert()
