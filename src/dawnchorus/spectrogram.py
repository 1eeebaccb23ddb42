"""Mel spectrograms of whole recordings, and their cache on disk."""

from functools import cache
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dawnchorus import params
from dawnchorus.audio import read_recording
from dawnchorus.errors import InputError
from dawnchorus.files import replacing

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


def cache_spectrogram(recording: Path, folder: Path, settings: params.Spectrogram) -> None:
    """Write a recording's spectrogram as `<folder>/<recording_id>.npy`: dB, time first, [Frames, Mels], float16.

    Raises:
        InputError: the recording cannot be decoded.
    """
    samples = read_recording(recording, settings.sample_rate)
    with replacing(folder / f"{recording.stem}.npy") as path:
        np.save(path, mel_spectrogram(samples, settings).astype(np.float16), allow_pickle=False)


def open_spectrogram(folder: Path, recording_id: str) -> NDArray[np.float16]:
    """Memory-map a cached spectrogram, shape [Frames, Mels].

    Raises:
        InputError: there is none, or the file is damaged.
    """
    path = folder / f"{recording_id}.npy"
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{path}: cannot be read: {error}; does recording {recording_id!r} have an audio file? "
            "If so, delete the file and run again"
        ) from error


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
