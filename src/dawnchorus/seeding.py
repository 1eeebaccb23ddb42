"""One random generator per purpose; none is shared, so results do not depend on order or interruptions."""

import zlib

import numpy as np


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """The generator for (seed, *keys), for example `generator(seed, "mixup", backbone, fold, epoch)`.

    Strings are converted to their CRC-32 because, unlike `hash`, it is the same in every process.
    """
    numbers = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    return np.random.default_rng([seed, *numbers])
