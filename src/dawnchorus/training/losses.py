"""Losses: cross-entropy weighted by the label mask."""

from dataclasses import dataclass

import keras
from keras import ops


@dataclass(frozen=True)
class MaskedCrossEntropy:
    """Binary cross-entropy, weighted by the label mask of each species in each window.

    Attributes:
        label_smoothing: label-smoothing factor, 0 to 1: 0 keeps the targets, 1 would make all of them 0.5.
    """

    label_smoothing: float

    def __call__(self, labels: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        """Return the mean over all species and windows, weighted by the mask; 0 if the mask is 0 everywhere.

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
    """The loss of the window scores plus the weighted loss of the frame scores (the maximum over a window's frames).

    Attributes:
        loss: loss function for both kinds of scores.
        frame_weight: weight of the frame loss. BirdCLEF participants who use such a loss weight it by 0.5.
    """

    loss: MaskedCrossEntropy
    frame_weight: float

    def __call__(self, labels: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        """Return the sum of the window loss and the weighted frame loss.

        Args:
            labels: target and mask, (Batch, 2, Species).
            scores: probabilities of the window and of its frames, (Batch, 2, Species).
        """
        return self.loss(labels, scores[:, 0]) + self.frame_weight * self.loss(labels, scores[:, 1])
