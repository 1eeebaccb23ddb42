"""Mel spectrograms of whole recordings."""

import warnings
from functools import cache

import librosa
import numpy as np
import scipy.fft
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dawnchorus import params

# librosa.power_to_db's floor: powers below it count as it, so silence is -100 dB.
POWER_FLOOR = 1e-10
FRAMES_IN_BLOCK = 512


def mel_spectrogram(samples: NDArray[np.float32], settings: params.Spectrogram) -> NDArray[np.float32]:
    """The mel spectrogram of a recording in dB.

    Equal to `librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=None)` transposed; frames are transformed
    in blocks of float32, and the mel filters are a sparse matrix.

    Args:
        samples: mono samples, shape [Samples].
        settings: frame, hop and mel bands.

    Returns:
        Power in dB relative to 1, at least -100, with shape [Frames, Mels], Frames = 1 + Samples // hop_length.
    """
    filters, window = _filters(settings)
    centred = np.pad(samples, settings.n_fft // 2)
    frames = sliding_window_view(centred, settings.n_fft)[:: settings.hop_length]
    mel = np.empty((len(frames), settings.n_mels), np.float32)
    for start in range(0, len(frames), FRAMES_IN_BLOCK):
        spectrum = scipy.fft.rfft(frames[start : start + FRAMES_IN_BLOCK] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        mel[start : start + FRAMES_IN_BLOCK] = (filters @ power.T).T
    return 10 * np.log10(np.maximum(mel, POWER_FLOOR))


def frequency_to_mel(frequency: float, settings: params.Spectrogram) -> float:
    """The mel band, as a fraction, whose centre lies at a frequency in Hz; Slaney's scale, as librosa's filters."""
    step, lowest = _mel_step(settings)
    return float((librosa.hz_to_mel(frequency) - lowest) / step - 1)


def mel_to_frequency(band: float, settings: params.Spectrogram) -> float:
    """The frequency in Hz at the centre of a mel band, 0 being the lowest; the inverse of `frequency_to_mel`."""
    step, lowest = _mel_step(settings)
    return float(librosa.mel_to_hz(lowest + (band + 1) * step))


def empty_bands(settings: params.Spectrogram) -> NDArray[np.int64]:
    """Numbers of the mel bands whose filter lies between two frequencies of the Fourier transform, ascending."""
    filters, _ = _filters(settings)
    return np.flatnonzero(filters.getnnz(axis=1) == 0)


def _mel_step(settings: params.Spectrogram) -> tuple[float, float]:
    """Mels between two bands' centres, and the mel of f_min, a step below the lowest band's centre."""
    lowest, highest = librosa.hz_to_mel([settings.f_min, settings.f_max])
    return (highest - lowest) / (settings.n_mels + 1), lowest


@cache
def _filters(settings: params.Spectrogram) -> tuple[scipy.sparse.csr_matrix, NDArray[np.float32]]:
    with warnings.catch_warnings():
        # `empty_bands` tells of them once.
        warnings.filterwarnings("ignore", "Empty filters detected")
        filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
        )
    window = librosa.filters.get_window("hann", settings.n_fft).astype(np.float32)
    return scipy.sparse.csr_matrix(filters), window
