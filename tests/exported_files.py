"""Run exported files by their own runtimes."""

from pathlib import Path

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter


def run(path: Path, samples: np.ndarray) -> np.ndarray:
    """The scores that an exported file gives windows, (Batch, Samples) -> (Batch, Species)."""
    if path.suffix == ".onnx":
        return onnxruntime.InferenceSession(path).run(["predictions"], {"samples": samples})[0]
    interpreter = Interpreter(str(path))
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], samples.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], samples)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
