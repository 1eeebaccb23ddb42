"""Weights that a backbone begins with: ImageNet's, fetched by Keras, or a file."""

import re
from pathlib import Path

import keras

from dawnchorus.applications import APPLICATIONS
from dawnchorus.errors import InputError
from dawnchorus.weights import load_weights


def fetch_pretrained(backbone: str, source: str) -> keras.Model:
    """Keras's network without its top, with the weights that `train.pretrained` names.

    Args:
        backbone: one of `APPLICATIONS`.
        source: "imagenet", which Keras downloads once into its cache (~/.keras/models) and compares with its hash, or
            the path of a file of such weights, in which {backbone} stands for the backbone's name.

    Raises:
        InputError: the weights cannot be fetched, or the file is missing or holds another network's.
    """
    network, _ = APPLICATIONS[backbone]
    if source != "imagenet":
        path = Path(source.replace("{backbone}", backbone))
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; train.pretrained in params.yaml names it")
        model = network(include_top=False, weights=None)
        load_weights(model, path, "give train.pretrained in params.yaml a file of this network's, without its top")
        return model
    try:
        return network(include_top=False, weights="imagenet")
    # Keras raises a bare Exception where a download fails, and a ValueError where its hash differs.
    except Exception as error:
        reason = str(error).strip()
        found = re.search(r"https?://\S+", reason)
        url = found.group() if found else "the address that Keras names"
        raise InputError(
            f"the ImageNet weights of {backbone} cannot be fetched: {reason}\nWhere there is a connection, download "
            f"{url.rstrip('.,:')} and set train.pretrained in params.yaml to the file (for several backbones with "
            "{backbone} in its name); or set it to none"
        ) from error
