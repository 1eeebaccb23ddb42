"""Read weight files."""

from pathlib import Path

import keras

from dawnchorus.errors import InputError


def load_weights(model: keras.Model, path: Path, remedy: str = "run `make verify`, then repeat the command") -> None:
    """Load a model's weights in place.

    Args:
        model: the model, whose weights are replaced.
        path: the weight file.
        remedy: what the error message tells the user to do.

    Raises:
        InputError: the file is missing or damaged, or has the weights of another model.
    """
    try:
        model.load_weights(path)
    # A damaged file raises various exceptions of HDF5, zipfile or Keras.
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: has no weights for this model: {reason}; {remedy}") from error
