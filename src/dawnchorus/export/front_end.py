"""Mel spectrograms inside a model's graph, so that an exported file takes sound."""

from math import isqrt

import keras
import librosa
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.features.mel import POWER_FLOOR
from dawnchorus.features.store import CODES_PER_DECIBEL, HIGHEST_CODE

# Sound is made this much louder, in dB, so that the floor of power is a number in half precision, too.
LOUDER = 72.25
# Decibels per unit of the natural logarithm, 10 / ln 10, as a sum of two numbers that half precision holds well.
FACTORS = (4.34375, 10 / np.log(10) - 4.34375)
# Above all decibels.
HIGHEST = 1000.0
# Mel bands per matrix product. The filters of a group use few frequencies.
BANDS_IN_GROUP = 32


class MelFrontEnd(keras.layers.Layer):
    """Samples (Batch, Samples) -> windows (Batch, Frames, Mels), in dB above the lowest level of each window.

    They are those that `detect` makes of a recording. Networks subtract the mean, which is more exact of small numbers.

    Sound is followed and preceded by half a frame of silence. Zeros at the end of the samples are no sound, but fill up
    a window: frames that a recording without them does not have get the lowest level of the others.

    The Fourier transform is one step of Cooley and Tukey's, by matrix products: a frame of n = rows * columns samples
    is written into a matrix row by row; its columns are transformed and turned, then its rows. It is as exact as a fast
    one, takes a fifth of the time of LiteRT's, and needs no power of two. In ONNX, Keras writes that one as an
    operation that does not exist. Only frequencies of a mel filter are computed. Places are counted from half a sample
    before the first, so that a row is the mirror image of another one; power does not depend on it.

    Constants stand on the left of products, where LiteRT does not quantize them to integers.
    """

    def __init__(self, settings: Spectrogram, n_frames: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.settings, self.n_frames = settings, n_frames
        n_fft = settings.n_fft
        self.columns = next(each for each in range(isqrt(n_fft), 0, -1) if n_fft % each == 0)
        self.rows = n_fft // self.columns
        filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
        )
        window = librosa.filters.get_window("hann", n_fft)
        self.loudness = 10 ** (LOUDER / 20) * window[:, None]
        # Frequencies are rows * b + a and rows * b - a: samples are real, so a frequency has the power of its negative.
        half = np.arange(self.rows // 2 + 1)
        own = np.arange((self.rows + 1) // 2) + 0.5
        cosine, sine = _waves(half, own, self.rows)
        # The middle one of an odd number of rows is its own mirror image.
        self.of_columns = np.where(2 * own == self.rows, 0.5, 1.0) * cosine, sine
        places = np.arange(self.columns) + 0.5
        self.turn = [each[:, :, None] for each in _waves(half, places, n_fft)]
        last = int(np.flatnonzero(filters.any(axis=0))[-1]) if filters.any() else 0
        several = np.arange(-(-last // self.rows) + 1)
        self.of_rows = np.concatenate(_waves(several, places, self.columns))
        self.n_half, self.n_several = len(half), len(several)
        frequency = np.abs(self.rows * several + np.stack([half, -half])[:, :, None])
        # Frequencies above half of the rate are those below it. One that is computed twice counts once.
        frequency = np.minimum(frequency % n_fft, -frequency % n_fft)
        known, first = np.unique(frequency, return_index=True)
        weights = np.zeros((frequency.size, settings.n_mels))
        weights[first] = filters.T[known]
        self.filters = weights.reshape(*frequency.shape, settings.n_mels)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Keras calls it."""
        by_row = (-1, self.rows, self.columns * self.n_frames)
        frames = tf.reshape(self._frames(samples) * _constant(self.loudness), by_row)
        n_own = (self.rows + 1) // 2
        own, mirrored = (
            frames[:, :n_own],
            tf.gather(frames, np.arange(self.rows)[::-1][:n_own].astype(np.int32), axis=1),
        )
        turned = (-1, self.n_half, self.columns, self.n_frames)
        real = tf.reshape(tf.matmul(_constant(self.of_columns[0]), own + mirrored), turned)
        imaginary = tf.reshape(tf.matmul(_constant(self.of_columns[1]), own - mirrored), turned)
        cosine, sine = (_constant(each) for each in self.turn)
        of_real = tf.matmul(_constant(self.of_rows), real * cosine - imaginary * sine)
        of_imaginary = tf.matmul(_constant(self.of_rows), real * sine + imaginary * cosine)
        n = self.n_several
        (a, b), (c, d) = ((each[:, :, :n], each[:, :, n:]) for each in (of_real, of_imaginary))
        power = tf.stack([tf.square(a - d) + tf.square(b + c), tf.square(a + d) + tf.square(c - b)], axis=1)
        decibels = _decibels(tf.transpose(self._mel(power), (0, 2, 1)))
        return self._filled_up(samples, decibels)

    def _frames(self, samples: tf.Tensor) -> tf.Tensor:
        """Cut samples (Batch, Samples) into frames that overlap (Batch, Samples of a frame, Frames)."""
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        n_hops = -(-n_fft // hop)
        blocks = tf.transpose(_blocks(samples, n_fft // 2, self.n_frames + n_hops - 1, hop), (0, 2, 1))
        return tf.concat(
            [blocks[:, : n_fft - number * hop, number : number + self.n_frames] for number in range(n_hops)], axis=1
        )

    def _mel(self, power: tf.Tensor) -> tf.Tensor:
        """Power (Batch, 2, Half, Several, Frames) -> mel bands (Batch, Mels, Frames)."""
        found = []
        for start in range(0, self.settings.n_mels, BANDS_IN_GROUP):
            weights = self.filters[..., start : start + BANDS_IN_GROUP]
            used = np.flatnonzero(weights.any(axis=(0, 1, 3)))
            first, behind = (used[0], used[-1] + 1) if len(used) else (0, 1)
            weights = weights[:, :, first:behind]
            values = tf.reshape(power[:, :, :, first:behind], (-1, weights[..., 0].size, self.n_frames))
            found.append(tf.matmul(_constant(weights.reshape(-1, weights.shape[-1]).T), values))
        return found[0] if len(found) == 1 else tf.concat(found, axis=1)

    def _filled_up(self, samples: tf.Tensor, decibels: tf.Tensor) -> tf.Tensor:
        """Decibels above the lowest level of the sound. Frames behind its end get that, as in `streaming`."""
        hop = self.settings.hop_length
        # Frame k is there if the sound has k * hop samples, that is, if sample k * hop - 1 or a later one is not zero.
        blocks = _blocks(samples[:, hop - 1 :], 0, self.n_frames - 1, hop)
        behind = tf.cumsum(tf.reduce_max(tf.abs(blocks), axis=2), axis=1, reverse=True)
        first = tf.ones_like(samples[:, :1])
        is_there = (tf.concat([first, behind], axis=1) > 0)[:, :, None]
        lowest = tf.reduce_min(tf.where(is_there, decibels, HIGHEST), axis=(1, 2), keepdims=True)
        return tf.where(is_there, decibels - lowest, 0.0)


def _blocks(samples: tf.Tensor, before: int, n_blocks: int, size: int) -> tf.Tensor:
    """Cut samples (Batch, Samples), with zeros before and behind them, into blocks (Batch, Blocks, Size)."""
    needed = n_blocks * size
    behind = max(0, needed - before - samples.shape[1])
    return tf.reshape(tf.pad(samples, [[0, 0], [before, behind]])[:, :needed], (-1, n_blocks, size))


def _decibels(mel: tf.Tensor) -> tf.Tensor:
    """Power of mel bands in dB, rounded as in the store. Its lowest code is below the floor of power."""
    logarithm = tf.math.log(tf.maximum(mel, POWER_FLOOR * 10 ** (LOUDER / 10)))
    decibels = logarithm * FACTORS[0] + logarithm * FACTORS[1] - LOUDER
    return tf.minimum(tf.round(decibels * CODES_PER_DECIBEL), HIGHEST_CODE) / CODES_PER_DECIBEL


def _waves(frequencies: NDArray, places: NDArray, period: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine and negative sine of each frequency at each place, shape [Frequencies, Places] each."""
    angles = 2 * np.pi * (np.outer(frequencies, places) % period) / period
    return np.cos(angles), -np.sin(angles)


def _constant(values: NDArray) -> tf.Tensor:
    return tf.constant(values.astype(np.float32))
