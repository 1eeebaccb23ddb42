"""Mel spectrograms of whole recordings."""

import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

import librosa
import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram

# librosa.power_to_db's floor: powers below it count as it, so silence is -100 dB.
POWER_FLOOR = 1e-10


DECIBELS = np.float32(10 / np.log(10))


# Few enough that a block stays in the processor's cache.
FRAMES_IN_BLOCK = 128


# Mel bands whose filters are multiplied at once: each group sees few frequencies, unlike the whole, sparse matrix.
BANDS_IN_GROUP = 16


def mel_spectrogram(samples: NDArray[np.float32], settings: Spectrogram) -> NDArray[np.float32]:
    """The mel spectrogram of a recording in dB.

    Equal to `librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=None)` transposed.

    Args:
        samples: mono samples, shape [Samples].
        settings: frame, hop and mel bands.

    Returns:
        Power in dB relative to 1, at least -100, with shape [Frames, Mels], Frames = 1 + Samples // hop_length.
    """
    return np.concatenate(list(mel_blocks([samples], settings)))


def mel_blocks(samples: Iterable[NDArray[np.float32]], settings: Spectrogram) -> Iterator[NDArray[np.float32]]:
    """What `mel_spectrogram` gives, block by block, of samples that come block by block."""
    for frames in _frames(samples, settings):
        for start in range(0, len(frames), FRAMES_IN_BLOCK):
            yield _decibels(frames[start : start + FRAMES_IN_BLOCK], settings)


def _frames(samples: Iterable[NDArray[np.float32]], settings: Spectrogram) -> Iterator[NDArray[np.float32]]:
    """The frames of samples that come block by block, silence before and after them, as views [Frames, Samples]."""
    hop, n_fft = settings.hop_length, settings.n_fft
    silence = np.zeros(n_fft // 2, np.float32)
    waiting = silence
    for block in chain(samples, [silence]):
        # Of a long block only the beginning is copied, for the frames that begin before it.
        head = block[:n_fft] if len(block) > n_fft + hop else block
        seam = np.concatenate([waiting, head])
        frames = _whole_frames(seam, settings)
        yield frames
        if head is block:
            waiting = seam[len(frames) * hop :]
        else:
            rest = block[len(frames) * hop - len(waiting) :]
            frames = _whole_frames(rest, settings)
            yield frames
            waiting = rest[len(frames) * hop :]


def _whole_frames(samples: NDArray[np.float32], settings: Spectrogram) -> NDArray[np.float32]:
    """The frames that lie within samples, the first at their beginning, as a view [Frames, Samples]."""
    if len(samples) < settings.n_fft:
        return np.empty((0, settings.n_fft), np.float32)
    return sliding_window_view(samples, settings.n_fft)[:: settings.hop_length]


def _decibels(frames: NDArray[np.float32], settings: Spectrogram) -> NDArray[np.float32]:
    """The mel bands in dB, shape [Frames, Mels], of frames of samples, shape [Frames, Samples]."""
    window, groups = _filters(settings)
    squares = scipy.fft.rfft(frames * window, axis=1).view(np.float32)
    np.square(squares, out=squares)
    mel = np.empty((len(frames), settings.n_mels), np.float32)
    for bands, frequencies, filters in groups:
        np.matmul(squares[:, frequencies], filters, out=mel[:, bands])
    # With a row of floors NumPy takes half the time that a single number takes it.
    np.maximum(mel, np.full(settings.n_mels, POWER_FLOOR, np.float32), out=mel)
    np.log(mel, out=mel)
    mel *= DECIBELS
    return mel


def frequency_to_mel(frequency: float, settings: Spectrogram) -> float:
    """The mel band, as a fraction, whose centre lies at a frequency in Hz; Slaney's scale, as librosa's filters."""
    step, lowest = _mel_step(settings)
    return float((librosa.hz_to_mel(frequency) - lowest) / step - 1)


def mel_to_frequency(band: float, settings: Spectrogram) -> float:
    """The frequency in Hz at the centre of a mel band, 0 being the lowest; the inverse of `frequency_to_mel`."""
    step, lowest = _mel_step(settings)
    return float(librosa.mel_to_hz(lowest + (band + 1) * step))


def empty_bands(settings: Spectrogram) -> NDArray[np.int64]:
    """Numbers of the mel bands whose filter lies between two frequencies of the Fourier transform, ascending."""
    return np.flatnonzero(~_mel_filters(settings).any(axis=1))


def _mel_step(settings: Spectrogram) -> tuple[float, float]:
    """Mels between two bands' centres, and the mel of f_min, a step below the lowest band's centre."""
    lowest, highest = librosa.hz_to_mel([settings.f_min, settings.f_max])
    return (highest - lowest) / (settings.n_mels + 1), lowest


def _mel_filters(settings: Spectrogram) -> NDArray[np.float32]:
    """Weights of the frequencies in each band, shape [Mels, Frequencies]."""
    with warnings.catch_warnings():
        # `empty_bands` tells of them once.
        warnings.filterwarnings("ignore", "Empty filters detected")
        return librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
        )


@cache
def _filters(
    settings: Spectrogram,
) -> tuple[NDArray[np.float32], list[tuple[slice, slice, NDArray[np.float32]]]]:
    """The frames' window, and of each group of bands: which they are, the frequencies that they see, and their weights.

    Frequencies count twice, for the squares of their real and imaginary part follow each other.
    """
    filters = _mel_filters(settings)
    groups = []
    for start in range(0, len(filters), BANDS_IN_GROUP):
        weights = filters[start : start + BANDS_IN_GROUP]
        seen = np.flatnonzero(weights.any(axis=0))
        first, last = (seen[0], seen[-1] + 1) if len(seen) else (0, 1)
        bands, frequencies = slice(start, start + len(weights)), slice(2 * first, 2 * last)
        groups.append((bands, frequencies, np.repeat(weights[:, first:last].T, 2, axis=0)))
    return librosa.filters.get_window("hann", settings.n_fft).astype(np.float32), groups
