"""Mel spectrograms of whole recordings."""

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


@cache
def _filters(settings: params.Spectrogram) -> tuple[scipy.sparse.csr_matrix, NDArray[np.float32]]:
    filters = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
    )
    window = librosa.filters.get_window("hann", settings.n_fft).astype(np.float32)
    return scipy.sparse.csr_matrix(filters), window
