"""A linear head on embeddings: a layer of logistic regression, and its file."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from dawnchorus.errors import InputError
from dawnchorus.files import replacing


def signed_root(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square root of each absolute value, with the value's sign. Embeddings have few large values."""
    roots = np.abs(vectors)
    np.sqrt(roots, out=roots)
    return np.copysign(roots, vectors, out=roots)


@dataclass(frozen=True)
class LinearHead:
    """Turns the vector of a window into a score for each species, from the signed roots of its channels.

    Attributes:
        weights: shape [Channels, Species].
        bias: shape [Species].
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores of windows, 0 to 1, shape [Windows, Species], from their vectors, shape [Windows, Channels]."""
        return expit(signed_root(vectors) @ self.weights + self.bias)


def write_head(path: Path, head: LinearHead) -> None:
    """Write a head as a NumPy archive."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, weights=head.weights.astype(np.float32), bias=head.bias.astype(np.float32))


def read_head(path: Path, n_species: int, remedy: str = "run `make verify`, then repeat the command") -> LinearHead:
    """Read a file from `write_head`.

    Args:
        path: the file.
        n_species: number of species that it must have.
        remedy: what the error message tells the user to do.

    Raises:
        InputError: the file is missing or damaged, or has other species.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            head = LinearHead(file["weights"], file["bias"])
        if head.weights.ndim != 2 or head.bias.shape != (n_species,) or head.weights.shape[1] != n_species:
            raise ValueError(f"has weights {head.weights.shape} and bias {head.bias.shape} for {n_species} species")
        if not (np.isfinite(head.weights).all() and np.isfinite(head.bias).all()):
            raise ValueError("has weights that are not finite")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: is no linear head for this model: {error}; {remedy}") from error
    return head
