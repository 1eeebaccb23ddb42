"""Initial weights of a backbone: ImageNet's, which Keras downloads, or a file."""

import re
from pathlib import Path

import keras

from dawnchorus.errors import InputError
from dawnchorus.models.backbone import backbone_module
from dawnchorus.models.pictures import APPLICATION
from dawnchorus.models.weights import load_weights


def fetch_pretrained(backbone: str, source: str) -> keras.Model:
    """Build Keras's network without its top layers, with the weights that `train.pretrained` names.

    Args:
        backbone: name of a backbone that declares `NETWORK`.
        source: "imagenet" for weights that Keras downloads once into its cache (~/.keras/models) and checks against
            their hash, or the path of a file with weights of this network.

    Raises:
        InputError: the weights cannot be downloaded, or the file is missing or has the weights of another network.
    """
    network = backbone_module(backbone).NETWORK
    if source != "imagenet":
        path = Path(source)
        if not path.is_file():
            raise InputError(f"{path}: does not exist; correct train.pretrained in params.yaml")
        model = network(include_top=False, weights=None)
        load_weights(model, path, "set train.pretrained in params.yaml to weights of this network without its top")
        return model
    try:
        return network(include_top=False, weights="imagenet")
    # Keras raises a bare Exception if a download fails, and a ValueError if its hash differs.
    except Exception as error:
        reason = str(error).strip()
        found = re.search(r"https?://\S+", reason)
        url = found.group() if found else "the file from the URL that Keras uses"
        raise InputError(
            f"the ImageNet weights of {backbone} cannot be downloaded: {reason}\nWith network access, download "
            f"{url.rstrip('.,:')} into inputs/ and set train.pretrained in params.yaml to "
            f"{{{backbone}: inputs/<the file>}}; or set it to none"
        ) from error


def load_pretrained(model: keras.Model, backbone: str, folder: Path) -> None:
    """Load the weights that the stage fetch_weights wrote into a model's backbone, in place.

    Args:
        model: a model of `build_models`.
        backbone: name of its backbone.
        folder: contains `backbone.weights.h5`, or is empty where the backbone has no pretrained weights.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / "backbone.weights.h5"
    if path.exists():
        load_weights(model.get_layer(backbone).get_layer(APPLICATION), path)
