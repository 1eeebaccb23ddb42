"""Running of LiteRT files, without TensorFlow. LiteRT is imported where it is used: there is none for Macs by Intel."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError

PACKAGE = "ai_edge_litert"


def can_run_litert() -> bool:
    """Whether LiteRT is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


class LiteModel:
    """The model in a LiteRT file with one input.

    Attributes:
        outputs: the numbers of its outputs, by name.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        """Open a file.

        Args:
            path: the file.
            threads: number of threads; LiteRT's own choice by default.

        Raises:
            InputError: LiteRT is not installed.
            ValueError: LiteRT cannot read the file.
        """
        if not can_run_litert():
            raise InputError(f"{path}: needs LiteRT, which is not installed: install the package ai-edge-litert")
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=threads)
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._shape: tuple[int, ...] = ()
        details: list[dict[str, Any]] = self._interpreter.get_output_details()
        self.outputs: dict[str, int] = {each["name"]: each["index"] for each in details}

    def __call__(self, values: NDArray[np.float32], output: str | None = None) -> NDArray:
        """Compute an output.

        Args:
            values: the input, shape [Batch, ...], of any number in a batch.
            output: name of the output; by default, of its first.

        Returns:
            The output, shape [Batch, ...].

        Raises:
            RuntimeError: the file has an operation that LiteRT does not have, or takes another shape.
            ValueError: the same, found earlier.
        """
        # Only for the shape of an input: with another, such as that of an unknown length, it may not be possible.
        if values.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, values.shape)
            self._interpreter.allocate_tensors()
            self._shape = values.shape
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        number = next(iter(self.outputs.values())) if output is None else self.outputs[output]
        return self._interpreter.get_tensor(number)
