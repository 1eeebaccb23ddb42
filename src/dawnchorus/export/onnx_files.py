"""ONNX files."""

import logging
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.export.request import Quantization, Runner

# Any runtime of the last five years reads it.
OPSET = 17
# Smaller arrays keep their precision.
FEWEST_WEIGHTS = 1024


def write_onnx(model: keras.Model, path: Path, quantization: Quantization) -> None:
    """Convert a model to an ONNX file. Quantized weights become float32 again where the file is loaded.

    Raises:
        InputError: tf2onnx is not installed, or the network cannot be an ONNX file.
    """
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise InputError("ONNX files need tf2onnx: install it, or the extra `export`, which has it") from error
    logging.getLogger(tf2onnx.__name__).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Of NumPy, for what Keras asks it.
        warnings.simplefilter("ignore", FutureWarning)
        model.export(path, format="onnx", verbose=False, opset_version=OPSET)
    content = onnx.load(path)
    graph = content.graph
    if len(graph.input) > 1:
        raise InputError(
            "Keras's export to ONNX turns constants of this network's backbone into inputs, which programs do not give "
            "the file; export --to litert"
        )
    if quantization != "none":
        _quantize(graph, quantization)
    _rename(graph, graph.output[0].name, "predictions")
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(content, full_check=True)
    onnx.save(content, path)


def load_onnx(path: Path) -> Runner:
    """Load an ONNX file, for one thread.

    Raises:
        InputError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            "the exported file cannot be compared with the model: install onnxruntime, which the extra `onnx` has"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return session.run(None, {"samples": samples[None]})[0][0]

    return run


def _quantize(graph: Any, quantization: Quantization) -> None:
    """Store the weights of convolutions and dense layers in fewer bytes, in place; not those of the front end."""
    from onnx import helper, numpy_helper

    weights = {name for node in graph.node if node.op_type in ("Conv", "MatMul") for name in node.input[1:2]}
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.name not in weights or values.dtype != np.float32 or values.size < FEWEST_WEIGHTS:
            continue
        graph.initializer.remove(tensor)
        if quantization == "float16":
            stored: dict[str, NDArray] = {"half": values.astype(np.float16)}
            node = helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=1)
        else:
            # One scale for each output: the first axis of a convolution's weights, the last of a matrix.
            axis = 0 if values.ndim > 2 else values.ndim - 1
            largest = np.abs(values).max(axis=tuple(set(range(values.ndim)) - {axis}), keepdims=True)
            scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
            stored = {"integers": np.round(values / scale).astype(np.int8), "scale": scale.ravel()}
            node = helper.make_node(
                "DequantizeLinear", [f"{tensor.name}_{name}" for name in stored], [tensor.name], axis=axis
            )
        graph.initializer.extend(
            numpy_helper.from_array(array, f"{tensor.name}_{name}") for name, array in stored.items()
        )
        graph.node.insert(0, node)


def _rename(graph: Any, old: str, new: str) -> None:
    """Rename a value of a graph, in place."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    for value in graph.output:
        value.name = new if value.name == old else value.name
