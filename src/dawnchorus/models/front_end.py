"""Mel spectrograms inside a model's graph, so that an exported file takes sound."""

import keras
import librosa
import numpy as np
import tensorflow as tf

from dawnchorus.config.spectrogram import Spectrogram
from dawnchorus.features.mel import DECIBELS, POWER_FLOOR

# Louder samples have powers whose floor is a number in half precision, too. A power of two rounds nothing.
LOUDER = 2.0**12


class MelFrontEnd(keras.layers.Layer):
    """Samples (Batch, Samples) -> windows (Batch, Frames, Mels) in dB, as `features.mel.mel_spectrogram`.

    Sound is followed and preceded by half a frame of silence. It is computed with `tf.signal`, because `keras.ops.stft`
    mirrors the sound at both ends instead.
    """

    def __init__(self, settings: Spectrogram, n_frames: int, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.settings, self.n_frames = settings, n_frames
        filters = librosa.filters.mel(
            sr=settings.sample_rate,
            n_fft=settings.n_fft,
            n_mels=settings.n_mels,
            fmin=settings.f_min,
            fmax=settings.f_max,
        )
        self.filters = filters.T.astype(np.float32)

    def call(self, samples: tf.Tensor) -> tf.Tensor:
        settings = self.settings
        half = settings.n_fft // 2
        padded = tf.pad(LOUDER * samples, [[0, 0], [half, half]])
        transform = tf.signal.stft(padded, settings.n_fft, settings.hop_length, fft_length=settings.n_fft)
        power = tf.square(tf.math.real(transform)) + tf.square(tf.math.imag(transform))
        mel = tf.maximum(tf.matmul(power, self.filters), POWER_FLOOR * LOUDER**2)
        return DECIBELS * (tf.math.log(mel)[:, : self.n_frames] - 2 * np.log(LOUDER))
