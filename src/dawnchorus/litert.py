"""Running of LiteRT files, without TensorFlow. LiteRT is imported where it is used: there is none for Macs by Intel."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

PACKAGE = "ai_edge_litert"


def can_run_litert() -> bool:
    """Whether LiteRT is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


def open_litert(path: Path, threads: int | None = None) -> "Interpreter":
    """Open a LiteRT file.

    Args:
        path: the file.
        threads: number of threads; LiteRT's own choice by default.

    Raises:
        InputError: LiteRT is not installed.
        ValueError: LiteRT cannot read the file.
        RuntimeError: it has an operation that LiteRT does not have.
    """
    if not can_run_litert():
        raise InputError(f"{path}: needs LiteRT, which is not installed: install the package ai-edge-litert")
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def run_litert(interpreter: "Interpreter", values: NDArray[np.float32], output: int | None = None) -> NDArray:
    """Compute an output of a file with one input.

    Args:
        interpreter: the open file.
        values: its input, shape [Batch, ...], of any number in a batch.
        output: index of the tensor; by default, that of its only output.

    Returns:
        The output, shape [Batch, ...].
    """
    details = interpreter.get_input_details()[0]
    if tuple(details["shape"]) != values.shape:
        interpreter.resize_tensor_input(details["index"], values.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(details["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"] if output is None else output)
