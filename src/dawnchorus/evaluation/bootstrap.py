"""Bootstrap over recordings."""

import numpy as np
from numpy.typing import NDArray


def draw_recordings(n_recordings: int, samples: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """How often each recording is drawn, for a bootstrap over recordings: shape [Samples, Recordings]."""
    drawn = np.empty((samples, n_recordings), np.int32)
    for counts in drawn:
        # A tenth of the time of a multinomial draw, which this is.
        counts[:] = np.bincount(rng.integers(n_recordings, size=n_recordings), minlength=n_recordings)
    return drawn


def resample(truth: NDArray[np.bool_], samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each recording with labels is drawn, for a bootstrap over recordings.

    Args:
        truth: which species call, shape [Recordings, Species].
        samples: number of resamplings.
        rng: draws them.

    Returns:
        Shape [Samples, Recordings with labels]; floats, for matrix products.
    """
    return draw_recordings(int(truth.any(axis=1).sum()), samples, rng).astype(float)


def bootstrap_interval(
    precision: NDArray[np.float64], labels: NDArray[np.integer], resamples: NDArray[np.float64]
) -> tuple[float, float]:
    """The 95 % interval of LWLRAP over resampled recordings (percentile bootstrap).

    Args:
        precision: sum of `ranking_precisions` of each recording, shape [Recordings].
        labels: its number of true labels, shape [Recordings].
        resamples: what `resample` gives.
    """
    used = np.flatnonzero(labels)
    sums = resamples @ np.stack([precision[used], labels[used]], axis=1)
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [2.5, 97.5])
    return float(low), float(high)
