"""The networks of a bundle by LiteRT: on a CPU as fast as TensorFlow, but it starts at once and needs less memory."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.litert import can_run_litert, open_litert, run_litert
from dawnchorus.models.bundle import COPY_AGAIN, Bundle


def can_run_networks(bundle: Bundle) -> bool:
    """Whether LiteRT is installed, and the bundle has a LiteRT file of each of its networks."""
    return can_run_litert() and all(member.lite_file in bundle.info.files for member in bundle.info.networks)


def load_lite_networks(bundle: Bundle, threads: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Load the networks of a bundle, for which `can_run_networks` must hold.

    Args:
        bundle: the model.
        threads: number of threads.

    Returns:
        A function from windows (Batch, Frames, Mels) in dB to the weighted sum of the networks' scores,
        (Batch, Species).

    Raises:
        InputError: a file cannot be read.
    """
    networks = []
    for member in bundle.info.networks:
        path = bundle.folder / member.lite_file
        try:
            networks.append((open_litert(path, threads), np.float32(member.weight)))
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path}: cannot be read by LiteRT: {error}; {COPY_AGAIN}") from error

    def scores(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.sum([weight * run_litert(network, windows) for network, weight in networks], axis=0)

    return scores
