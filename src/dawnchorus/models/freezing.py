"""Trained models as functions that compute as fast as TensorFlow can."""

from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

# A graph cannot have constants of more than 2 GB, and TensorFlow copies them while it optimizes the graph.
MOST_BYTES = 2**28


def frozen(model: keras.Model, most_bytes: int = MOST_BYTES) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Compile a model with its weights as constants.

    TensorFlow then merges batch normalization and activations into the convolutions, which takes a quarter less time.
    Scores differ from the model's own only by rounding. Larger models, and other backends, score as they are.

    Args:
        model: windows (Batch, Frames, Mels) -> scores (Batch, Species).
        most_bytes: the largest size of weights that become constants.

    Returns:
        A function from any number of windows (Batch, Frames, Mels) to their scores (Batch, Species).
    """
    kinds = (model.trainable_variables, model.non_trainable_variables)
    weights = [[keras.ops.convert_to_numpy(variable) for variable in variables] for variables in kinds]
    if keras.backend.backend() != "tensorflow" or sum(each.nbytes for kind in weights for each in kind) > most_bytes:
        return lambda windows: np.asarray(model.predict_on_batch(windows))
    # Imported here because other backends run without TensorFlow.
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)], autograph=False)
    def score(windows: tf.Tensor) -> tf.Tensor:
        constants = [[tf.constant(each) for each in kind] for kind in weights]
        return model.stateless_call(*constants, windows, training=False)[0]

    # Unlike `score`, the graph does not hold the model.
    graph = score.get_concrete_function()
    return lambda windows: graph(tf.constant(windows)).numpy()
