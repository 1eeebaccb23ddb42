"""The head: from a backbone's features to a score for each species."""

import math

import keras
from keras import layers, ops

from dawnchorus.config.head import Pooling


class Head(layers.Layer):
    """Features -> a probability for each species: mean over frequency, dropout, scores, pooling over time, sigmoid.

    (Batch, Time, Frequency, Channels) -> (Batch, Species), or, with `frames`, (Batch, 2, Species), the second being the
    maximum over time of each frame's own probability. At each time a 1x1 convolution scores the species. Pooling:

    - attention: another one weighs the time for each species; the weights' logits are clipped to +-10 and go through a
      softmax over time.
    - log_mean_exp: the logarithm of the mean of exponentials (Pinheiro and Collobert 2015, arXiv:1411.6228).
    """

    def __init__(
        self, n_species: int, dropout: float, seed: int, pooling: Pooling, frames: bool, **kwargs: object
    ) -> None:
        # Probabilities near 0 and 1 need float32 where the rest computes in half precision.
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
