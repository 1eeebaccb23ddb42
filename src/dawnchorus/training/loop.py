"""The training loop."""

from collections.abc import Callable

import keras
import pandas as pd

from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.training.losses import MaskedCrossEntropy, WithFrames
from dawnchorus.training.prefetching import prefetched
from dawnchorus.training.recorder import Recorder
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.schedule import learning_rate_schedule
from dawnchorus.training.validation import Validation


def fit(
    trainer: keras.Model,
    sampler: WindowSampler,
    validate: Callable[[], Validation] | None,
    checkpoint: Checkpoint,
    keep_epoch: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train a model in place; it ends with the weights of the epoch that `train.checkpoint` names.

    Where the job was interrupted, it goes on after its last finished epoch, and ends as if it had not been.

    Args:
        trainer: the training model of `build_models`.
        sampler: its training windows.
        validate: gives the metrics of the present weights; None where no recording could tell.
        checkpoint: keeps the state after each epoch; still there at the end.
        keep_epoch: is called with the number of each epoch, from 1, when it has ended.

    Returns:
        The curve: a row for each epoch with epoch, loss, validation_lwlrap, validation_precision (NaN without
        `validate`) and learning_rate (of its last step).

    Raises:
        InputError: the loss is no longer a number, or the state of an earlier run is damaged.
    """
    train, head = sampler.params.train, sampler.params.head
    loss = MaskedCrossEntropy(train.label_smoothing)
    schedule = learning_rate_schedule(train, train.epochs * sampler.steps_per_epoch)
    trainer.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=WithFrames(loss, head.frame_weight) if head.frame_weight > 0 else loss,
        jit_compile=train.xla,
    )
    # Otherwise it would be built in the first step, and TensorFlow would trace that step a second time.
    trainer.optimizer.build(trainer.trainable_variables)
    recorder = Recorder(trainer, sampler, validate, checkpoint, keep_epoch, schedule)
    first_epoch = recorder.resume()
    with prefetched(sampler.batches(first_epoch)) as batches:
        trainer.fit(
            batches,
            initial_epoch=first_epoch,
            steps_per_epoch=sampler.steps_per_epoch,
            epochs=train.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[recorder],
        )
    if recorder.best is not None:
        trainer.set_weights(recorder.best)
    return pd.DataFrame(recorder.rows)
