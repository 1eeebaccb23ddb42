"""Mel spectrograms of whole recordings."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.features.mel_scale import hann_window, hz_to_mel, mel_filters, mel_to_hz

# The floor of librosa.power_to_db: lower powers are raised to it, so silence is -100 dB.
POWER_FLOOR = 1e-10

# Decibels per unit of the natural logarithm of power.
DECIBELS = np.float32(10 / np.log(10))

# Small enough for a block to stay in the processor's cache.
FRAMES_IN_BLOCK = 128

# Mel bands per matrix product. A group of bands uses few frequencies, whereas the whole filter matrix is mostly zeros.
BANDS_IN_GROUP = 16


def mel_spectrogram(samples: NDArray[np.float32], settings: Spectrogram) -> NDArray[np.float32]:
    """The mel spectrogram of a recording in dB.

    Equal to `librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=None)` transposed.

    Args:
        samples: mono samples, shape [Samples].
        settings: frame length, hop and mel bands.

    Returns:
        Power in dB relative to 1, at least -100, with shape [Frames, Mels], Frames = 1 + Samples // hop_length.
    """
    return np.concatenate(list(mel_blocks([samples], settings)))


def mel_blocks(samples: Iterable[NDArray[np.float32]], settings: Spectrogram) -> Iterator[NDArray[np.float32]]:
    """Compute `mel_spectrogram` block by block from consecutive blocks of samples.

    Yields:
        Power in dB, shape [Frames, Mels].
    """
    for frames in _frames(samples, settings):
        for start in range(0, len(frames), FRAMES_IN_BLOCK):
            yield _decibels(frames[start : start + FRAMES_IN_BLOCK], settings)


def _frames(samples: Iterable[NDArray[np.float32]], settings: Spectrogram) -> Iterator[NDArray[np.float32]]:
    """Cut consecutive blocks of samples, padded with silence at both ends, into frames: views [Frames, Samples]."""
    hop, n_fft = settings.hop_length, settings.n_fft
    silence = np.zeros(n_fft // 2, np.float32)
    waiting = silence
    for block in chain(samples, [silence]):
        # Only the head of a long block is copied, for the frames that start in the previous block.
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
    """All whole frames in the samples, starting with the first sample, as a view [Frames, Samples]."""
    if len(samples) < settings.n_fft:
        return np.empty((0, settings.n_fft), np.float32)
    return sliding_window_view(samples, settings.n_fft)[:: settings.hop_length]


def _decibels(frames: NDArray[np.float32], settings: Spectrogram) -> NDArray[np.float32]:
    """Convert frames of samples, shape [Frames, Samples], to mel bands in dB, shape [Frames, Mels]."""
    window, groups = _filters(settings)
    squares = scipy.fft.rfft(frames * window, axis=1).view(np.float32)
    np.square(squares, out=squares)
    mel = np.empty((len(frames), settings.n_mels), np.float32)
    for bands, frequencies, filters in groups:
        np.matmul(squares[:, frequencies], filters, out=mel[:, bands])
    # NumPy takes half as long with a row of floors as with a scalar.
    np.maximum(mel, np.full(settings.n_mels, POWER_FLOOR, np.float32), out=mel)
    np.log(mel, out=mel)
    mel *= DECIBELS
    return mel


def frequency_to_mel(frequency: float, settings: Spectrogram) -> float:
    """The fractional number of the mel band centred on a frequency in Hz, on Slaney's scale as in librosa's filters."""
    step, lowest = _mel_step(settings)
    return float((hz_to_mel(frequency) - lowest) / step - 1)


def mel_to_frequency(band: float, settings: Spectrogram) -> float:
    """The centre frequency in Hz of a mel band; 0 is the lowest band. The inverse of `frequency_to_mel`."""
    step, lowest = _mel_step(settings)
    return float(mel_to_hz(lowest + (band + 1) * step))


def empty_bands(settings: Spectrogram) -> NDArray[np.int64]:
    """Numbers of the mel bands that are always empty because their filter covers no FFT bin, in ascending order."""
    return np.flatnonzero(~_mel_filters(settings).any(axis=1))


def _mel_step(settings: Spectrogram) -> tuple[float, float]:
    """The distance between band centres in mel, and f_min in mel, one step below the lowest centre."""
    lowest, highest = hz_to_mel([settings.f_min, settings.f_max])
    return (highest - lowest) / (settings.n_mels + 1), lowest


def _mel_filters(settings: Spectrogram) -> NDArray[np.float32]:
    """The weight of each FFT bin in each band, shape [Mels, Frequencies]."""
    return mel_filters(settings.sample_rate, settings.n_fft, settings.n_mels, settings.f_min, settings.f_max)


@cache
def _filters(
    settings: Spectrogram,
) -> tuple[NDArray[np.float32], list[tuple[slice, slice, NDArray[np.float32]]]]:
    """The window function, and for each group of bands its slice of bands, its slice of frequencies, and the weights.

    Each frequency appears twice, because the squares of its real and imaginary parts are adjacent.
    """
    filters = _mel_filters(settings)
    groups = []
    for start in range(0, len(filters), BANDS_IN_GROUP):
        weights = filters[start : start + BANDS_IN_GROUP]
        seen = np.flatnonzero(weights.any(axis=0))
        first, last = (seen[0], seen[-1] + 1) if len(seen) else (0, 1)
        bands, frequencies = slice(start, start + len(weights)), slice(2 * first, 2 * last)
        groups.append((bands, frequencies, np.repeat(weights[:, first:last].T, 2, axis=0)))
    return hann_window(settings.n_fft).astype(np.float32), groups
