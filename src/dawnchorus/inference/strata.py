"""Strata of windows by the rank of their score."""

import numpy as np
from numpy.typing import NDArray

# A stratum should have at least this many items, and this many windows.
FEWEST_ITEMS, FEWEST_WINDOWS = 3, 4


def count_strata(n_windows: int, n_items: int) -> int:
    """The number of strata from which so many items are drawn."""
    most = max(1, int(np.log2(max(1, n_windows / FEWEST_WINDOWS))))
    return int(np.clip(n_items // FEWEST_ITEMS, 1, most))


def log_strata(scores: NDArray[np.floating], n_strata: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Divide windows by their rank: the lower half, the next quarter, the next eighth, and so on.

    So the highest scores, where few windows decide about a threshold, have strata of their own, and every window
    belongs to one: Navine et al. 2024 (doi 10.3389/fbirs.2024.1380636).

    Args:
        scores: shape [Windows].
        n_strata: number of strata, from 1.
        rng: decides between equal scores.

    Returns:
        The stratum of each window, from 1 (lowest), shape [Windows].
    """
    rank = np.empty(len(scores), int)
    rank[np.lexsort([rng.random(len(scores)), scores])[::-1]] = np.arange(len(scores))
    above = (rank + 0.5) / len(scores)
    return np.clip(np.floor(-np.log2(above)), 0, n_strata - 1).astype(int) + 1
