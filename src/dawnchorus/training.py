"""Training one model: loss, schedule, loop and curve."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import ops
from numpy.typing import NDArray

from dawnchorus.crops import Crops
from dawnchorus.errors import InputError
from dawnchorus.params import Train
from dawnchorus.progress import Progress


@dataclass(frozen=True)
class MaskedCrossEntropy:
    """Binary cross-entropy, each species of each window weighed by what is known of it.

    Attributes:
        label_smoothing: targets are drawn towards 0.5 by this part.
    """

    label_smoothing: float

    def __call__(self, labels: keras.KerasTensor, scores: keras.KerasTensor) -> keras.KerasTensor:
        """The mean over all species and windows, weighed by the mask; 0 where nothing is known.

        Args:
            labels: target and known, (Batch, 2, Species).
            scores: probabilities, (Batch, Species).
        """
        target = labels[:, 0] * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        known = labels[:, 1]
        scores = ops.clip(scores, keras.config.epsilon(), 1 - keras.config.epsilon())
        entropy = -(target * ops.log(scores) + (1 - target) * ops.log(1 - scores))
        return ops.sum(known * entropy) / ops.maximum(ops.sum(known), keras.config.epsilon())


def learning_rate_schedule(train: Train, total_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear from `warmup_learning_rate` to `learning_rate` over the first steps, then a cosine to 0."""
    warmup_steps = int(train.warmup_fraction * total_steps)
    return keras.optimizers.schedules.CosineDecay(
        train.warmup_learning_rate if warmup_steps else train.learning_rate,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=train.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )


def fit(trainer: keras.Model, crops: Crops, validate: Callable[[], float]) -> pd.DataFrame:
    """Train a model in place.

    Args:
        trainer: the training model of `build_models`.
        crops: its training windows.
        validate: gives the validation LWLRAP of the present weights.

    Returns:
        The curve: a row for each epoch with epoch, loss, validation_lwlrap and learning_rate (of its last step).

    Raises:
        InputError: the loss is no longer a number.
    """
    train = crops.params.train
    schedule = learning_rate_schedule(train, train.epochs * crops.steps_per_epoch)
    trainer.compile(
        optimizer=keras.optimizers.Adam(schedule), loss=MaskedCrossEntropy(train.label_smoothing), jit_compile=False
    )
    recorder = _Recorder(validate, train.epochs, schedule, crops.steps_per_epoch)
    trainer.fit(
        crops.batches(),
        steps_per_epoch=crops.steps_per_epoch,
        epochs=train.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[recorder],
    )
    return pd.DataFrame(recorder.rows)


class _Recorder(keras.callbacks.Callback):
    """Validates after each epoch, keeps the curve, and shows the progress."""

    def __init__(
        self,
        validate: Callable[[], float],
        epochs: int,
        schedule: Callable[[int], NDArray[np.float32]],
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._validate, self._schedule, self._steps_per_epoch = validate, schedule, steps_per_epoch
        self._progress = Progress(epochs, "epochs")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            raise InputError(f"epoch {epoch + 1}: the loss is {loss}; lower train.learning_rate in params.yaml")
        lwlrap = self._validate()
        learning_rate = float(ops.convert_to_numpy(self._schedule((epoch + 1) * self._steps_per_epoch - 1)))
        self.rows.append(
            {"epoch": epoch + 1, "loss": loss, "validation_lwlrap": lwlrap, "learning_rate": learning_rate}
        )
        self._progress.step(f"loss {loss:.4f}, validation LWLRAP {lwlrap:.4f}")
