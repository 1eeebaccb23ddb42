"""The learning rate over a training."""

import keras

from dawnchorus.config.train import Train


def learning_rate_schedule(train: Train, total_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear from `warmup_learning_rate` to `learning_rate` over the first steps, then a cosine to 0."""
    warmup_steps = int(train.warmup_fraction * total_steps)
    return keras.optimizers.schedules.CosineDecay(
        train.warmup_learning_rate if warmup_steps else train.learning_rate,
        decay_steps=max(1, total_steps - warmup_steps),
        warmup_target=train.learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
