"""Weights that a backbone begins with: ImageNet's, fetched by Keras, or a file."""

import re
from pathlib import Path

import keras

from dawnchorus.errors import InputError
from dawnchorus.models.backbone import backbone_module
from dawnchorus.models.pictures import APPLICATION
from dawnchorus.models.weights import load_weights


def fetch_pretrained(backbone: str, source: str) -> keras.Model:
    """Keras's network without its top, with the weights that `train.pretrained` names.

    Args:
        backbone: one that declares `NETWORK`.
        source: "imagenet", which Keras downloads once into its cache (~/.keras/models) and compares with its hash, or
            the path of a file of such weights.

    Raises:
        InputError: the weights cannot be fetched, or the file is missing or holds another network's.
    """
    network = backbone_module(backbone).NETWORK
    if source != "imagenet":
        path = Path(source)
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
            f"{url.rstrip('.,:')} into inputs/ and set train.pretrained in params.yaml to "
            f"{{{backbone}: inputs/<the file>}}; or set it to none"
        ) from error


def load_pretrained(model: keras.Model, backbone: str, folder: Path) -> None:
    """Load the weights that the stage fetch_weights left in a folder into a model's backbone, in place.

    Args:
        model: one of `build_models`.
        backbone: its backbone's name.
        folder: holds `backbone.weights.h5`, or nothing where the backbone begins with new weights.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / "backbone.weights.h5"
    if path.exists():
        load_weights(model.get_layer(backbone).get_layer(APPLICATION), path)
