"""Mel spectrograms inside a model's graph, so that an exported file takes sound."""

from math import gcd, isqrt

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.features.mel import POWER_FLOOR
from dawnchorus.features.mel_scale import hann_window, mel_filters

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

    The Fourier transform is one step of Cooley and Tukey's, by matrix products: a frame of n = rows * columns samples
    is written into a matrix row by row; its columns are transformed and turned, then its rows. It is as exact as a fast
    one, takes a quarter of the time of LiteRT's, and needs no power of two. In ONNX, Keras writes that one as an
    operation that does not exist. Only frequencies of a mel filter are computed.

    Constants stand on the left of products, where LiteRT does not quantize them to integers.
    """

    def __init__(self, settings: Spectrogram, n_frames: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.settings, self.n_frames = settings, n_frames
        n_fft = settings.n_fft
        self.columns = next(each for each in range(isqrt(n_fft), 0, -1) if n_fft % each == 0)
        self.rows = n_fft // self.columns
        filters = mel_filters(settings.sample_rate, n_fft, settings.n_mels, settings.f_min, settings.f_max)
        used = np.flatnonzero(filters.any(axis=0))
        # Frequency a + rows * b. Samples are real, so half of all a are enough: others have the power of n - frequency.
        half = np.arange(self.rows // 2 + 1)
        several = np.arange(used[0] // self.rows, used[-1] // self.rows + 1) if len(used) else np.arange(1)
        several = np.union1d(several, self.columns - 1 - several)
        window = hann_window(n_fft)
        self.loudness = 10 ** (LOUDER / 20) * window[:, None]
        # The cosines of a row and of its mirror image are the same, and their sines are opposite.
        self.mirror = (-half % self.rows).astype(np.int32)
        cosine, sine = _waves(half, half, self.rows)
        self.of_columns = np.where(self.mirror == half, 0.5, 1.0) * cosine, sine
        self.turn = [each[:, :, None] for each in _waves(half, np.arange(self.columns), n_fft)]
        cosine, sine = _waves(several, np.arange(self.columns), self.columns)
        self.of_rows = np.block([[cosine, -sine], [sine, cosine]])
        frequency = (half[:, None] + several * self.rows).ravel()
        places, first = np.unique(np.minimum(frequency, n_fft - frequency), return_index=True)
        # A frequency that is computed twice counts once.
        self.filters = np.zeros((settings.n_mels, len(frequency)))
        self.filters[:, first] = filters[:, places]
        self.n_half, self.n_several = len(half), len(several)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        """Keras calls it."""
        by_row = (-1, self.rows, self.columns * self.n_frames)
        frames = tf.reshape(self._frames(samples) * _constant(self.loudness), by_row)
        own, mirrored = frames[:, : self.n_half], tf.gather(frames, self.mirror, axis=1)
        turned = (-1, self.n_half, self.columns, self.n_frames)
        real = tf.reshape(tf.matmul(_constant(self.of_columns[0]), own + mirrored), turned)
        imaginary = tf.reshape(tf.matmul(_constant(self.of_columns[1]), own - mirrored), turned)
        cosine, sine = (_constant(each) for each in self.turn)
        both = tf.concat([real * cosine - imaginary * sine, real * sine + imaginary * cosine], axis=2)
        squares = tf.square(tf.matmul(_constant(self.of_rows), both))
        power = squares[:, :, : self.n_several] + squares[:, :, self.n_several :]
        power = tf.reshape(power, (-1, self.n_half * self.n_several, self.n_frames))
        mel = tf.transpose(tf.matmul(_constant(self.filters), power), (0, 2, 1))
        logarithm = tf.math.log(tf.maximum(mel, POWER_FLOOR * 10 ** (LOUDER / 10)))
        # The maximum keeps converters from joining the two factors.
        decibels = tf.maximum(logarithm * FACTORS[0], LOWEST) * FACTORS[1] - LOUDER
        # Rounded to the 11 bits of half precision (Dekker 1971). Converters to ONNX drop a cast there and back.
        spread = decibels * 8192.0 + decibels
        return spread - (spread - decibels)

    def _frames(self, samples: tf.Tensor) -> tf.Tensor:
        """Cut samples (Batch, Samples) into frames that overlap (Batch, Samples of a frame, Frames)."""
        n_fft, hop = self.settings.n_fft, self.settings.hop_length
        half, needed = n_fft // 2, (self.n_frames - 1) * hop + n_fft
        behind = max(0, needed - half - samples.shape[1])
        padded = tf.pad(samples, [[0, 0], [half, behind]])[:, :needed]
        part = gcd(n_fft, hop)
        places = np.arange(self.n_frames)[:, None] * (hop // part) + np.arange(n_fft // part)
        parts = tf.gather(tf.reshape(padded, (-1, needed // part, part)), places.astype(np.int32), axis=1)
        return tf.transpose(tf.reshape(parts, (-1, self.n_frames, n_fft)), (0, 2, 1))


def _waves(frequencies: NDArray, places: NDArray, period: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine and negative sine of each frequency at each place, shape [Frequencies, Places] each."""
    angles = 2 * np.pi * (np.outer(frequencies, places) % period) / period
    return np.cos(angles), -np.sin(angles)


def _constant(values: NDArray) -> tf.Tensor:
    return tf.constant(values.astype(np.float32))
