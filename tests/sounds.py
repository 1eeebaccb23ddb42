"""Recordings that tests write."""

from pathlib import Path

import numpy as np
import soundfile

from dawnchorus.audio.decoding import read_blocks

RATE = 48_000


def noise(seconds: float = 5.0, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, int(seconds * RATE)).clip(-0.9, 0.9).astype(np.float32)


def written(path: Path, samples: np.ndarray, rate: int = RATE, part: float = 1.0, **options: str) -> Path:
    """An audio file of which only a fraction of the bytes is kept."""
    soundfile.write(path, samples, rate, **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    return path


def sound(seconds: float, rate: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    tone = np.sin(2 * np.pi * 3000 * np.arange(int(seconds * rate)) / rate)
    return (0.1 * tone + 0.01 * rng.standard_normal(len(tone))).astype(np.float32)


def read(path: Path) -> np.ndarray:
    """All samples of a recording at 48 kHz."""
    return np.concatenate(list(read_blocks(path, 48_000)))
