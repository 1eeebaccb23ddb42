"""Training one model: loss, schedule, loop and curve."""

import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops
from numpy.typing import NDArray

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

from dawnchorus.answers import Answers
from dawnchorus.crops import Crops
from dawnchorus.errors import InputError
from dawnchorus.inference import score_recordings
from dawnchorus.metrics import lwlrap, precision
from dawnchorus.params import Train
from dawnchorus.progress import Progress
from dawnchorus.seeding import generator
from dawnchorus.unfinished import Unfinished
from dawnchorus.weights import load_weights


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
            labels: target and known, (Batch, 2, Species).
            scores: probabilities of window and frames, (Batch, 2, Species).
        """
        return self.loss(labels, scores[:, 0]) + self.frame_weight * self.loss(labels, scores[:, 1])


def learning_rate_schedule(train: Train, total_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear from `warmup_learning_rate` to `learning_rate` over the first steps, then a cosine to 0."""
    warmup_steps = int(train.warmup_fraction * total_steps)
    return keras.optimizers.schedules.CosineDecay(
        train.warmup_learning_rate if warmup_steps else train.learning_rate,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=train.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )


@dataclass(frozen=True)
class Validation:
    """Metrics of the validation recordings.

    Attributes:
        lwlrap: as in `metrics.lwlrap`.
        precision: as in `metrics.precision`.
    """

    lwlrap: float
    precision: float


def validate(scorer: keras.Model, folder: Path, left_out: Answers, batch_size: int) -> Validation:
    """The metrics of whole recordings: the maximum over windows that follow each other, as in inference.

    Args:
        scorer: the scoring model of `build_models`.
        folder: of the cached spectrograms.
        left_out: the recordings that training has not seen, and what is known of them.
        batch_size: windows in a forward pass.
    """
    scores = score_recordings(scorer, folder, left_out.recording_ids, scorer.input_shape[1], batch_size)
    return Validation(lwlrap(left_out.truth, scores), precision(left_out.truth, scores, left_out.known))


def fit(
    trainer: keras.Model,
    crops: Crops,
    validate: Callable[[], Validation] | None,
    unfinished: Unfinished,
    keep_epoch: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train a model in place; it ends with the weights of the epoch that `train.checkpoint` names.

    Where the job was interrupted, it goes on after its last finished epoch, and ends as if it had not been.

    Args:
        trainer: the training model of `build_models`.
        crops: its training windows.
        validate: gives the metrics of the present weights; None where no recording could tell.
        unfinished: keeps the state after each epoch; still there at the end.
        keep_epoch: is called with the number of each epoch, from 1, when it has ended.

    Returns:
        The curve: a row for each epoch with epoch, loss, validation_lwlrap, validation_precision (NaN without
        `validate`) and learning_rate (of its last step).

    Raises:
        InputError: the loss is no longer a number, or the state of an earlier run is damaged.
    """
    train, head = crops.params.train, crops.params.head
    loss = MaskedCrossEntropy(train.label_smoothing)
    schedule = learning_rate_schedule(train, train.epochs * crops.steps_per_epoch)
    trainer.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=WithFrames(loss, head.frame_weight) if head.frame_weight > 0 else loss,
        jit_compile=train.xla,
    )
    # Otherwise it would be built in the first step, and TensorFlow would trace that step a second time.
    trainer.optimizer.build(trainer.trainable_variables)
    recorder = _Recorder(trainer, crops, validate, unfinished, keep_epoch, schedule)
    first_epoch = recorder.resume()
    trainer.fit(
        prefetched(crops.batches(first_epoch)),
        initial_epoch=first_epoch,
        steps_per_epoch=crops.steps_per_epoch,
        epochs=train.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[recorder],
    )
    if recorder.best is not None:
        trainer.set_weights(recorder.best)
    return pd.DataFrame(recorder.rows)


def prefetched(batches: Iterator[tuple[dict[str, NDArray], NDArray]]) -> Any:
    """The same batches for Keras's `fit`, under TensorFlow made while the step before runs.

    Keras itself would let TensorFlow tune the number of prefetched batches; the thread that does so often holds up the
    end of `fit`, by up to a minute.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    first = next(batches)
    signature = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), first)
    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        tf.data.Dataset.from_generator(lambda: chain([first], batches), output_signature=signature)
        .prefetch(2)
        .with_options(options)
    )


class _Recorder(keras.callbacks.Callback):
    """Validates after each epoch, keeps the curve, the best weights and the state, and shows the progress."""

    def __init__(
        self,
        trainer: keras.Model,
        crops: Crops,
        validate: Callable[[], Validation] | None,
        unfinished: Unfinished,
        keep_epoch: Callable[[int], None] | None,
        schedule: Callable[[int], NDArray[np.float32]],
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.best: list[NDArray] | None = None
        self._trainer, self._crops, self._validate, self._unfinished = trainer, crops, validate, unfinished
        self._keep_epoch, self._schedule = keep_epoch, schedule
        self._metric = crops.params.train.checkpoint
        weights = {id(variable) for variable in trainer.weights}
        # What dropout draws from; Keras does not save it with the weights.
        self._random_states = [variable for variable in trainer.variables if id(variable) not in weights]

    def resume(self) -> int:
        """Take up the state of an earlier run, if there is one; the number of its finished epochs."""
        latest = self._unfinished.latest()
        epoch = latest[0] if latest else 0
        if latest:
            self._load(latest[1])
            print(f"goes on after epoch {epoch}, the last one of an interrupted run", file=sys.stderr, flush=True)
        self._progress = Progress(self._crops.params.train.epochs, "epochs", done=epoch)
        return epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for number, variable in enumerate(self._random_states):
            rng = generator(self._crops.params.seed, "dropout", *self._crops.job, epoch, number)
            variable.assign(rng.integers(2**31, size=variable.shape))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            raise InputError(
                f"epoch {epoch + 1}: the loss is {loss}; lower train.learning_rate in params.yaml, or find a damaged "
                "spectrogram by `make verify`"
            )
        found = self._validate() if self._validate is not None else Validation(np.nan, np.nan)
        last_step = (epoch + 1) * self._crops.steps_per_epoch - 1
        row = {
            "epoch": epoch + 1,
            "loss": loss,
            "validation_lwlrap": found.lwlrap,
            "validation_precision": found.precision,
            "learning_rate": float(ops.convert_to_numpy(self._schedule(last_step))),
        }
        if self._metric != "last" and all(row[self._metric] > earlier[self._metric] for earlier in self.rows):
            self.best = self._trainer.get_weights()
        self.rows.append(row)
        if self._keep_epoch is not None:
            self._keep_epoch(epoch + 1)
        with self._unfinished.saving(epoch + 1) as state:
            self._save(state)
        validation = f", validation LWLRAP {found.lwlrap:.4f}, precision {found.precision:.4f}"
        self._progress.step(f"loss {loss:.4f}" + (validation if self._validate is not None else ""))

    def _save(self, state: Path) -> None:
        # With the optimizer's state, for the model is compiled.
        self._trainer.save_weights(state / "trainer.weights.h5")
        (state / "curve.json").write_text(json.dumps(self.rows))
        if self.best is not None:
            np.savez(state / "best.npz", *self.best)

    def _load(self, state: Path) -> None:
        try:
            load_weights(self._trainer, state / "trainer.weights.h5", remedy="it was written by an interrupted run")
            self.rows = json.loads((state / "curve.json").read_text())
            if self._metric != "last":
                with np.load(state / "best.npz", allow_pickle=False) as best:
                    self.best = [best[name] for name in best.files]
        except (InputError, OSError, ValueError, zipfile.BadZipFile) as error:
            self._unfinished.remove()
            raise InputError(
                f"{state}: the state of an interrupted run is damaged: {error}; it has been removed, so the next run "
                "trains from the beginning"
            ) from error
