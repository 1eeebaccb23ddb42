"""The learning-rate schedule."""

import keras

from dawnchorus.config.train import Train


def learning_rate_schedule(train: Train, total_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear warm-up followed by cosine decay to 0.

    The learning rate rises from `warmup_learning_rate` to `learning_rate` over the fraction `warmup_fraction` of
    `total_steps`. Without warm-up steps it starts at `learning_rate`.
    """
    warmup_steps = int(train.warmup_fraction * total_steps)
    return keras.optimizers.schedules.CosineDecay(
        train.warmup_learning_rate if warmup_steps else train.learning_rate,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=train.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
