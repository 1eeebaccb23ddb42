"""Mel spectrograms inside a model's graph, so that an exported file takes sound."""

from math import gcd, isqrt

import keras
import librosa
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.features.mel import POWER_FLOOR

# Sound is made this much louder, in dB, so that the floor of power is a number in half precision, too.
LOUDER = 72.25
# Decibels per unit of the natural logarithm, 10 / ln 10, as a product of two numbers that half precision holds exactly.
FACTORS = (1.3291015625, 3.267578125)
# Below all logarithms.
LOWEST = -100.0


class MelFrontEnd(keras.layers.Layer):
    """Samples (Batch, Samples) -> windows (Batch, Frames, Mels) in dB, as `features.mel.mel_spectrogram`.

    Sound is followed and preceded by half a frame of silence. Decibels are rounded to half precision, as the store
    rounds them.

    The Fourier transform is two matrix products, as one step of Cooley and Tukey's: a frame of n = rows * columns
    samples is written into a matrix row by row, its columns are transformed and turned, then its rows. It is as exact
    as a fast one, takes a third of the time of LiteRT's, and needs no power of two; ONNX files from Keras cannot hold
    that one at all. Only frequencies of a mel filter are computed.

    Constants stand on the left of products, where LiteRT does not quantize them to integers.
    """

    def __init__(self, settings: Spectrogram, n_frames: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.settings, self.n_frames = settings, n_frames
        self.rows, self.columns = _factors(settings.n_fft)
        filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
        )
        used = np.flatnonzero(filters.any(axis=0))
        # Frequency a + rows * b, for a in all rows.
        several = np.arange(used[0] // self.rows, used[-1] // self.rows + 1) if len(used) else np.arange(1)
        every = np.arange(self.rows)
        window = librosa.filters.get_window("hann", settings.n_fft)
        self.loudness = (10 ** (LOUDER / 20) * window).reshape(self.rows, self.columns)
        cosine, sine = _waves(every, every, self.rows)
        self.of_columns = np.concatenate([cosine, sine])
        self.turn = _waves(every, np.arange(self.columns), settings.n_fft)
        cosine, sine = _waves(several, np.arange(self.columns), self.columns)
        self.of_rows = np.block([[cosine, -sine], [sine, cosine]])
        self.n_several = len(several)
        frequency = several[:, None] * self.rows + every
        inside = np.minimum(frequency, filters.shape[1] - 1)
        self.filters = np.where(frequency < filters.shape[1], filters[:, inside], 0).reshape(settings.n_mels, -1)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Keras calls it."""
        frames = tf.reshape(self._frames(samples), (-1, self.rows, self.columns)) * _constant(self.loudness)
        turned = tf.matmul(_constant(self.of_columns), frames)
        real, imaginary = turned[:, : self.rows], turned[:, self.rows :]
        cosine, sine = (_constant(each) for each in self.turn)
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        both = tf.transpose(tf.concat([real, imaginary], axis=2), (0, 2, 1))
        squares = tf.square(tf.matmul(_constant(self.of_rows), both))
        power = squares[:, : self.n_several] + squares[:, self.n_several :]
        power = tf.transpose(tf.reshape(power, (-1, self.n_frames, self.n_several * self.rows)), (0, 2, 1))
        mel = tf.transpose(tf.matmul(_constant(self.filters), power), (0, 2, 1))
        logarithm = tf.math.log(tf.maximum(mel, POWER_FLOOR * 10 ** (LOUDER / 10)))
        # The maximum keeps converters from joining the two factors.
        decibels = tf.maximum(logarithm * FACTORS[0], LOWEST) * FACTORS[1] - LOUDER
        # Rounded to the 11 bits of half precision (Dekker 1971). Converters to ONNX drop a cast there and back.
        spread = decibels * 8192.0 + decibels
        return spread - (spread - decibels)

    def _frames(self, samples: tf.Tensor) -> tf.Tensor:
        """Cut samples (Batch, Samples) into frames that overlap (Batch, Frames, Samples of a frame)."""
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        half, needed = n_fft // 2, (self.n_frames - 1) * hop + n_fft
        behind = max(0, needed - half - samples.shape[1])
        padded = tf.pad(samples, [[0, 0], [half, behind]])[:, :needed]
        part = gcd(n_fft, hop)
        places = np.arange(self.n_frames)[:, None] * (hop // part) + np.arange(n_fft // part)
        return tf.gather(tf.reshape(padded, (-1, needed // part, part)), places.astype(np.int32), axis=1)


def _factors(number: int) -> tuple[int, int]:
    """Two factors of a number, as equal as possible."""
    rows = next(each for each in range(isqrt(number), 0, -1) if number % each == 0)
    return rows, number // rows


def _waves(frequencies: NDArray, places: NDArray, period: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine and negative sine of each frequency at each place, shape [Frequencies, Places] each."""
    angles = 2 * np.pi * (np.outer(frequencies, places) % period) / period
    return np.cos(angles), -np.sin(angles)


def _constant(values: NDArray) -> tf.Tensor:
    return tf.constant(values.astype(np.float32))
