"""Random draws as functions of what they are for: no generator is shared, so order and interruptions do not matter."""

import zlib

import numpy as np


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """A generator of its own for (seed, *keys), for example `generator(seed, "crop", backbone, fold, epoch, row)`.

    Strings count by their CRC-32, which, unlike `hash`, is the same in every process.
    """
    numbers = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    return np.random.default_rng([seed, *numbers])
