"""Check of the embeddings that an experiment uses, apart from what its stages depend on."""

from dawnchorus.config.params import Params
from dawnchorus.features.embedders import model_path


def require_embeddings(params: Params) -> None:
    """Check that the model of each embedding that the experiment uses is there.

    Raises:
        InputError: it does not exist, or BirdNET's package is not installed.
    """
    for name in params.embeddings:
        model_path(params.features[name])
