"""The networks of a bundle by LiteRT: on a CPU as fast as TensorFlow, but it starts at once and needs less memory."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.litert import LiteModel, can_run_litert
from dawnchorus.models.bundle import COPY_AGAIN, Bundle
from dawnchorus.models.shapes import Shapes


def why_not_by_litert(bundle: Bundle) -> str:
    """Why LiteRT cannot score with the networks of a bundle here; empty if it can."""
    if not can_run_litert():
        return "LiteRT is not installed"
    missing = [each.name for each in bundle.info.networks if each.lite_file not in bundle.info.files]
    return f"it has no LiteRT file of {', '.join(missing)}" if missing else ""


def load_lite_networks(bundle: Bundle, threads: int) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Load the networks of a bundle, where nothing is in the way of LiteRT.

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
            network = LiteModel(path, threads)
            network(np.zeros((1, *Shapes.of(bundle.info.settings).window), np.float32))
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path}: cannot be read by LiteRT: {error}; {COPY_AGAIN}") from error
        networks.append((network, np.float32(member.weight)))

    def scores(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.sum([weight * network(windows) for network, weight in networks], axis=0)

    return scores
