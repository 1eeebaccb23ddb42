"""Reading files of weights."""

from pathlib import Path

import keras

from dawnchorus.errors import InputError


def load_weights(model: keras.Model, path: Path, remedy: str = "run `make verify`, then again") -> None:
    """Load a model's weights in place.

    Args:
        model: gets the weights.
        path: of the file.
        remedy: what the error says is to be done.

    Raises:
        InputError: the file is missing or damaged, or holds the weights of another model.
    """
    try:
        model.load_weights(path)
    # A damaged file raises whatever HDF5, zipfile or Keras meet first.
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: holds no weights for this model: {reason}; {remedy}") from error
