"""A network as a LiteRT file, with which `dawnchorus detect` scores on a CPU."""

import sys
from pathlib import Path

import keras
import numpy as np

from dawnchorus.litert import open_litert, run_litert

# The largest difference of scores that rounding may make.
TOLERANCE = 1e-4


def write_lite_network(network: keras.Model, path: Path) -> None:
    """Convert a network to a LiteRT file, and compare its scores with the network's.

    If that cannot be, there is no file, and this says so: `dawnchorus detect` then needs TensorFlow.

    Args:
        network: windows (Batch, Frames, Mels) in dB -> scores (Batch, Species).
        path: the file.
    """
    # Noise, silence, the loudest sound, and what no recording has.
    levels, spreads = np.array([-60, -100, 0, -30])[:, None, None], np.array([10, 0, 0, 30])[:, None, None]
    noise = np.random.default_rng(0).normal(0, 1, (len(levels), *network.input_shape[1:]))
    windows = (levels + spreads * noise).astype(np.float32)
    try:
        path.write_bytes(_converted(network))
        difference = np.abs(run_litert(open_litert(path), windows) - network.predict_on_batch(windows)).max()
    # Each step has exceptions of its own for operations that LiteRT does not have.
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
    else:
        reason = "" if difference <= TOLERANCE else f"its scores would differ by up to {difference:.2g}"
    if reason:
        path.unlink(missing_ok=True)
        print(f"{network.name}: cannot be a LiteRT file, so `dawnchorus detect` needs TensorFlow for it: {reason}",
              file=sys.stderr, flush=True)  # fmt: skip


def _converted(network: keras.Model) -> bytes:
    """The content of a LiteRT file. With weights as constants, this takes an eighth of the time of `Model.export`."""
    # Imported here because other backends run without TensorFlow.
    import tensorflow as tf

    kinds = (network.trainable_variables, network.non_trainable_variables)
    weights = [[keras.ops.convert_to_numpy(variable) for variable in variables] for variables in kinds]

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)], autograph=False)
    def scores(windows: tf.Tensor) -> tf.Tensor:
        constants = [[tf.constant(each) for each in kind] for kind in weights]
        return network.stateless_call(*constants, windows, training=False)[0]

    return tf.lite.TFLiteConverter.from_concrete_functions([scores.get_concrete_function()]).convert()
