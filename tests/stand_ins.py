"""Tiny models that stand in for embeddings: the mean absolute value of each eighth of the samples."""

from pathlib import Path

import numpy as np
from clone import Clone
from numpy.typing import NDArray

PARTS = 8


def expected(samples: NDArray[np.floating]) -> NDArray[np.floating]:
    """The vectors of samples, shape [Batch, Samples], by the formula that the models compute."""
    return np.abs(samples).reshape(len(samples), PARTS, -1).mean(axis=2)


def write_onnx(path: Path, n_samples: int, operation: str = "Abs") -> None:
    """Write the model as an ONNX file, with the output `vectors`; another operation makes another model."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    nodes = [
        helper.make_node(operation, ["samples"], ["sizes"]),
        helper.make_node("Reshape", ["sizes", "shape"], ["parts"]),
        helper.make_node("ReduceMean", ["parts", "axes"], ["vectors"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes, "stand_in",
        [helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", n_samples])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", PARTS])],
        [numpy_helper.from_array(np.array([0, PARTS, -1]), "shape"), numpy_helper.from_array(np.array([2]), "axes")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, path)


def write_saved_model(folder: Path, n_samples: int, operation: str = "abs") -> None:
    """Write the model as a SavedModel, with the output `vectors`; another operation makes another model."""
    import tensorflow as tf

    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None, n_samples), tf.float32, "samples")])
    def embed(samples: tf.Tensor) -> dict[str, tf.Tensor]:
        sizes = getattr(tf.math, operation)(samples)
        return {"vectors": tf.reduce_mean(tf.reshape(sizes, (-1, PARTS, n_samples // PARTS)), axis=2)}

    module.embed = embed
    tf.saved_model.save(module, str(folder), signatures={"embeddings": embed})


def write_litert(path: Path, saved_model: Path) -> None:
    """Convert the SavedModel to a LiteRT file, whose output has a name of the converter's."""
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert())


def add_embedding(clone: Clone) -> None:
    """Add the ONNX model to a clone of the tiny experiment, as the embedding `tiny`."""
    write_onnx(clone.path / "inputs/tiny.onnx", 60_000)
    settings = {"model": "inputs/tiny.onnx", "sample_rate": 24_000, "seconds": 2.5, "output": "vectors"}
    clone.edit_params("features", {"tiny": settings})
    clone.edit_params("embeddings", ["tiny"])
