"""The callback that validates, records the learning curve, saves the checkpoint and reports progress each epoch."""

import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.models.weights import load_weights
from dawnchorus.progress import Progress
from dawnchorus.seeding import generator
from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.validation import Validation

# Gets figures by name, and the number of their epoch, counted from 1.
Log = Callable[[Mapping[str, float], int], None]


class Recorder(keras.callbacks.Callback):
    """Validates, updates the learning curve and the best weights, and saves the state after each epoch."""

    def __init__(
        self,
        trainer: keras.Model,
        sampler: WindowSampler,
        validate: Callable[[], Validation] | None,
        checkpoint: Checkpoint,
        keep_epoch: Callable[[int], None] | None,
        schedule: Callable[[int], NDArray[np.float32]],
        log: Log | None = None,
    ) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.best: list[NDArray] | None = None
        self._trainer, self._sampler, self._validate, self._checkpoint = trainer, sampler, validate, checkpoint
        self._keep_epoch, self._schedule, self._log = keep_epoch, schedule, log
        self._metric = sampler.params.train.checkpoint
        weights = {id(variable) for variable in trainer.weights}
        # Random states of dropout layers. Keras does not save them with the weights.
        self._random_states = [variable for variable in trainer.variables if id(variable) not in weights]

    def resume(self) -> int:
        """Load the state of an interrupted run, if there is one, and return the number of completed epochs."""
        latest = self._checkpoint.latest()
        epoch = latest[0] if latest else 0
        if latest:
            self._load(latest[1])
            print(f"resuming after epoch {epoch} of an interrupted run", file=sys.stderr, flush=True)
            for row in self.rows:
                self._tell(row)
        self._progress = Progress(self._sampler.params.train.epochs, "epochs", done=epoch)
        return epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for number, variable in enumerate(self._random_states):
            rng = generator(self._sampler.params.seed, "dropout", *self._sampler.job, epoch, number)
            variable.assign(rng.integers(2**31, size=variable.shape))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not np.isfinite(loss):
            raise InputError(
                f"epoch {epoch + 1}: the loss is {loss}; lower train.learning_rate in params.yaml, or run "
                "`make verify` to find a damaged spectrogram"
            )
        found = self._validate() if self._validate is not None else Validation(np.nan, np.nan)
        last_step = (epoch + 1) * self._sampler.steps_per_epoch - 1
        row = {
            "epoch": epoch + 1,
            "loss": loss,
            "validation_lwlrap": found.lwlrap,
            "validation_precision": found.precision,
            "learning_rate": float(ops.convert_to_numpy(self._schedule(last_step))),
        }
        # Of equal epochs, the later one has learned more.
        if self._metric != "last" and all(row[self._metric] >= earlier[self._metric] for earlier in self.rows):
            self.best = self._trainer.get_weights()
        self.rows.append(row)
        if self._keep_epoch is not None:
            self._keep_epoch(epoch + 1)
        with self._checkpoint.saving(epoch + 1) as state:
            self._save(state)
        self._tell(row)
        validation = f", validation LWLRAP {found.lwlrap:.4f}, precision {found.precision:.4f}"
        self._progress.step(f"loss {loss:.4f}" + (validation if self._validate is not None else ""))

    def _tell(self, row: dict[str, float]) -> None:
        if self._log is not None:
            known = {key: value for key, value in row.items() if key != "epoch" and not np.isnan(value)}
            self._log(known, int(row["epoch"]))

    def _save(self, state: Path) -> None:
        # The model is compiled, so this saves the state of the optimizer too.
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
            self._checkpoint.remove()
            raise InputError(
                f"{state}: the state of an interrupted run is damaged: {error}; it has been removed. Repeat the "
                "command to train from the first epoch"
            ) from error
