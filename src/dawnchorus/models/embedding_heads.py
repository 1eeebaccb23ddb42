"""The members of a bundle that are linear heads on embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.features import BIRDNET, Embedding
from dawnchorus.errors import InputError
from dawnchorus.features.embedders import BIRDNET_LICENCE, Embedder, load_embedder, model_digest, model_path
from dawnchorus.models.bundle import COPY_AGAIN, Bundle, Member, ModelInfo
from dawnchorus.models.linear_head import LinearHead, read_head


@dataclass(frozen=True)
class EmbeddingHeads:
    """The members on one embedding.

    Attributes:
        settings: of the embedding.
        embed: its model.
        heads: the members and their weights.
    """

    settings: Embedding
    embed: Embedder
    heads: list[tuple[LinearHead, float]]

    @property
    def n_species(self) -> int:
        """The number of species."""
        return len(self.heads[0][0].bias)

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weighted sum of the members' scores, shape [Windows, Species], of vectors [Windows, Channels]."""
        # The store rounds vectors to half precision, and heads were trained on those.
        vectors = vectors.astype(np.float16).astype(np.float32)
        return np.sum([np.float32(weight) * head.scores(vectors) for head, weight in self.heads], axis=0)


def load_heads(bundle: Bundle, members: Sequence[Member] | None = None) -> list[EmbeddingHeads]:
    """Load members that are heads on embeddings, and the models of these.

    Args:
        bundle: the model.
        members: the members, of which those that are no heads are left out; by default all of the bundle.

    Raises:
        InputError: an embedding's model is missing, or is another than the heads were trained on; or a file is damaged.
    """
    info, found = bundle.info, []
    for name, settings in info.settings.features.items():
        on_it = [each for each in members or info.members if each.is_head and each.backbone == name]
        if not on_it:
            continue
        path = _path(bundle, settings)
        if model_digest(settings) != info.embeddings[name]:
            raise InputError(f"{path}: is another model than the one that {bundle.folder} was trained on; use that")
        heads = [
            (read_head(bundle.folder / member.file, len(info.species), COPY_AGAIN), member.weight) for member in on_it
        ]
        found.append(EmbeddingHeads(settings, load_embedder(settings), heads))
    return found


def has_saved_model(bundle: Bundle) -> bool:
    """Whether some heads are on an embedding by a SavedModel, which only TensorFlow runs.

    Raises:
        InputError: an embedding's model is missing.
    """
    used = {member.backbone for member in bundle.info.members if member.is_head}
    return any(_path(bundle, bundle.info.settings.features[name]).is_dir() for name in used)


def _path(bundle: Bundle, settings: Embedding) -> Path:
    return model_path(settings, f"copy it to there, in the present folder, from where {bundle.folder} was trained")


def licences(info: ModelInfo) -> list[str]:
    """What people have to know who use the scores of a model: the licences of frozen models that it needs."""
    used = {member.backbone for member in info.members if member.is_head}
    return [BIRDNET_LICENCE] if any(info.settings.features[name].model == BIRDNET for name in used) else []
