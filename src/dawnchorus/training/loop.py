"""The training loop."""

from collections.abc import Callable

import keras
import pandas as pd

from dawnchorus.training.callbacks import Log, Recorder
from dawnchorus.training.checkpoint import Checkpoint
from dawnchorus.training.losses import MaskedCrossEntropy, WithFrames
from dawnchorus.training.prefetching import prefetched
from dawnchorus.training.sampling import WindowSampler
from dawnchorus.training.schedule import learning_rate_schedule
from dawnchorus.training.validation import Validation


def fit(
    trainer: keras.Model,
    sampler: WindowSampler,
    validate: Callable[[], Validation] | None,
    checkpoint: Checkpoint,
    keep_epoch: Callable[[int], None] | None = None,
    log: Log | None = None,
) -> pd.DataFrame:
    """Train a model in place; it ends with the weights of the epoch that `train.checkpoint` selects.

    An interrupted job resumes after its last completed epoch, with the same result as without the interruption.

    Args:
        trainer: the training model from `build_models`.
        sampler: training windows.
        validate: returns the validation metrics of the current weights; None if no recording is held out.
        checkpoint: stores the state after each epoch. It is not removed at the end.
        keep_epoch: called after each epoch with its number, counted from 1.
        log: called after each epoch with its row of the learning curve, without what is NaN, and its number; first
            with the epochs that an interrupted job has completed.

    Returns:
        The learning curve: one row per epoch with epoch, loss, validation_lwlrap, validation_precision (both NaN
        without `validate`) and learning_rate (in the last step of the epoch).

    Raises:
        InputError: the loss is not finite, or the state of an interrupted run is damaged.
    """
    train, head = sampler.params.train, sampler.params.head
    loss = MaskedCrossEntropy(train.label_smoothing)
    schedule = learning_rate_schedule(train, train.epochs * sampler.steps_per_epoch)
    trainer.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=WithFrames(loss, head.frame_weight) if head.frame_weight > 0 else loss,
        # TensorFlow traces a graph in any case; JAX would compute each operation by itself.
        jit_compile=train.xla or keras.backend.backend() == "jax",
    )
    # An optimizer that is built in the first step makes TensorFlow trace that step twice.
    trainer.optimizer.build(trainer.trainable_variables)
    recorder = Recorder(trainer, sampler, validate, checkpoint, keep_epoch, schedule, log)
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
