"""A network as a LiteRT file, with which `dawnchorus detect` scores on a CPU."""

import sys
from pathlib import Path

import keras
import numpy as np

from dawnchorus.export.litert import write_litert
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
        write_litert(network, path, "none")
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
