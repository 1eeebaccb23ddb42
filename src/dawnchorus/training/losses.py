"""Losses: cross-entropy weighed by a mask."""

from dataclasses import dataclass

import keras
from keras import ops


@dataclass(frozen=True)
class MaskedCrossEntropy:
    """Binary cross-entropy, each species of each window weighed by what is known of it.

    Attributes:
        label_smoothing: targets are drawn towards 0.5 by this part.
    """

    label_smoothing: float

    def __call__(self, labels: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        """The mean over all species and windows, weighed by the mask; 0 where the mask is 0 everywhere.

        Args:
            labels: target and mask, (Batch, 2, Species).
            scores: probabilities, (Batch, Species).
        """
        target = labels[:, 0] * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        mask = labels[:, 1]
        scores = ops.clip(scores, keras.config.epsilon(), 1 - keras.config.epsilon())
        entropy = -(target * ops.log(scores) + (1 - target) * ops.log(1 - scores))
        return ops.sum(mask * entropy) / ops.maximum(ops.sum(mask), keras.config.epsilon())


@dataclass(frozen=True)
class WithFrames:
    """The loss of the window's scores, plus by a weight that of its frames' highest ones.

    Attributes:
        loss: of either.
        frame_weight: of the frames'; 0.5 where participants of BirdCLEF train so.
    """

    loss: MaskedCrossEntropy
    frame_weight: float

    def __call__(self, labels: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        """The sum of both losses.

        Args:
            labels: target and mask, (Batch, 2, Species).
            scores: probabilities of window and frames, (Batch, 2, Species).
        """
        return self.loss(labels, scores[:, 0]) + self.frame_weight * self.loss(labels, scores[:, 1])
