"""Slaney's mel scale, its filters, and Hann's window, with librosa's numbers: its import takes seconds and 100 MB.

The scale is linear up to 1 kHz and logarithmic above (M. Slaney, Auditory Toolbox, 1998).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

HZ_PER_MEL = 200.0 / 3
# Where the logarithmic part begins, and the logarithm of a step of one mel there.
LOG_HZ = 1000.0
LOG_MEL = LOG_HZ / HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequencies: ArrayLike) -> NDArray[np.float64]:
    """Convert frequencies in Hz, of any shape, to mel."""
    frequencies = np.asarray(frequencies, float)
    logarithmic = LOG_MEL + np.log(np.maximum(frequencies, LOG_HZ) / LOG_HZ) / LOG_STEP
    return np.where(frequencies >= LOG_HZ, logarithmic, frequencies / HZ_PER_MEL)


def mel_to_hz(mels: ArrayLike) -> NDArray[np.float64]:
    """Convert mels, of any shape, to Hz."""
    mels = np.asarray(mels, float)
    logarithmic = LOG_HZ * np.exp(LOG_STEP * (np.maximum(mels, LOG_MEL) - LOG_MEL))
    return np.where(mels >= LOG_MEL, logarithmic, HZ_PER_MEL * mels)


def mel_filters(sample_rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float) -> NDArray[np.float32]:
    """The weight of each FFT bin in each band: triangles of equal area, evenly spaced in mel, [Mels, Frequencies]."""
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    lowest, highest = hz_to_mel([f_min, f_max])
    edges = mel_to_hz(np.linspace(lowest, highest, n_mels + 2))
    widths = np.diff(edges)
    ramps = np.subtract.outer(edges, bins)
    rising, falling = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    weights = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return weights


def hann_window(n_fft: int) -> NDArray[np.float64]:
    """Hann's window with the period of a frame, shape [Samples]."""
    return (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, n_fft + 1)))[:-1]
