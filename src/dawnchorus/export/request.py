"""What to export, and names that the kinds of files share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Target = Literal["litert", "onnx", "birdnet"]
Quantization = Literal["none", "float16", "int8"]
# From samples of a window, shape [Samples], to what a file gives, shape [Species].
Runner = Callable[[NDArray[np.float32]], NDArray[np.float32]]
# How the name of a file ends.
SUFFIXES: dict[Target, str] = {"litert": ".tflite", "onnx": ".onnx", "birdnet": ".tflite"}


@dataclass(frozen=True)
class Request:
    """What to export.

    Attributes:
        target: the kind of file.
        quantization: of the weights.
        members: names of the members; none for all.
        is_calibrated: whether to give probabilities instead of scores.
    """

    target: Target
    quantization: Quantization = "none"
    members: Sequence[str] = ()
    is_calibrated: bool = False
