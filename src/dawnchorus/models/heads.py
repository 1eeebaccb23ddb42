"""The head, which turns a backbone's features into a score for each species."""

import math

import keras
from keras import layers, ops

from dawnchorus.config.head import Pooling


class Head(layers.Layer):
    """Turn features into a probability for each species.

    (Batch, Time, Frequency, Channels) -> (Batch, Species). With `frames`, the output is (Batch, 2, Species), where the
    second entry is the maximum over time of the frames' own probabilities.

    The steps are the mean over frequency, dropout, a 1x1 convolution that scores the species at each time, pooling over
    time, and a sigmoid. Pooling is one of:

    - attention: a weighted mean. A second 1x1 convolution gives the logits of the weights for each species and time,
      which are clipped to +-10 and passed through a softmax over time.
    - log_mean_exp: the logarithm of the mean of exponentials (Pinheiro and Collobert 2015, arXiv:1411.6228).
    """

    def __init__(
        self, n_species: int, dropout: float, seed: int, pooling: Pooling, frames: bool, **kwargs: object
    ) -> None:
        # Probabilities near 0 and 1 need float32, even where the rest of the model computes in half precision.
        super().__init__(dtype="float32", **kwargs)
        self.pooling, self.frames = pooling, frames
        self.dropout = layers.Dropout(dropout, seed=seed, dtype="float32")
        if pooling == "attention":
            self.attention = layers.Conv1D(n_species, 1, dtype="float32")
        self.scores = layers.Conv1D(n_species, 1, dtype="float32")

    def build(self, shape: tuple[int | None, ...]) -> None:
        over_time = (shape[0], shape[1], shape[3])
        if self.pooling == "attention":
            self.attention.build(over_time)
        self.scores.build(over_time)
        self.built = True

    def call(self, features: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        over_time = self.dropout(ops.mean(features, axis=2), training=training)
        scores = self.scores(over_time)
        if self.pooling == "attention":
            attention = ops.softmax(ops.clip(self.attention(over_time), -10, 10), axis=1)
            pooled = ops.sum(attention * scores, axis=1)
        else:
            pooled = ops.logsumexp(scores, axis=1) - math.log(scores.shape[1])
        return ops.sigmoid(ops.stack([pooled, ops.max(scores, axis=1)], axis=1) if self.frames else pooled)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], 2, self.scores.filters) if self.frames else (shape[0], self.scores.filters)
