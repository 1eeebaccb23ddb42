"""Recordings that tests write."""

from pathlib import Path

import numpy as np
import soundfile

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.audio.file_checks import look_at_header

RATE = 48_000
BLOCK = 65_536


def noise(seconds: float = 5.0, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, int(seconds * RATE)).clip(-0.9, 0.9).astype(np.float32)


def written(path: Path, samples: np.ndarray, rate: int = RATE, part: float = 1.0, **options: str) -> Path:
    """An audio file of which only a fraction of the bytes is kept."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(path, "w", rate, channels, **options) as file:
        # libsndfile crashes where it encodes a minute as Vorbis in one call.
        for start in range(0, len(samples), BLOCK):
            file.write(samples[start : start + BLOCK])
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


def native(path: Path, rate: int | None = None) -> np.ndarray:
    """All samples of a recording at its own rate."""
    return np.concatenate(list(read_blocks(path, rate or look_at_header(path).rate)))


def calls(seconds: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a tone of its own pitch every four seconds, and the pitches' times, s, in order of pitch."""
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 0.01, seconds * RATE)
    times = np.arange(0, seconds, 4)
    seconds_of_call = np.arange(RATE) / RATE
    for number, time in enumerate(times):
        tone = np.sin(2 * np.pi * pitch(number) * seconds_of_call) * np.hanning(RATE)
        samples[time * RATE : (time + 1) * RATE] += 0.3 * tone
    return samples.astype(np.float32), times + 0.5


def pitch(number: int) -> int:
    return 1000 + 150 * number


def places(samples: np.ndarray, number_of_calls: int) -> np.ndarray:
    """Where the tones of `calls` are loudest, s, by their product with a wave of their pitch."""
    times = np.arange(len(samples)) / RATE
    found = []
    for number in range(number_of_calls):
        product = samples * np.exp(-2j * np.pi * pitch(number) * times)
        blocks = product[: len(product) // 480 * 480].reshape(-1, 480).sum(axis=1)
        smooth = np.abs(np.convolve(blocks, np.hanning(100), "same"))
        found.append((smooth.argmax() + 0.5) * 480 / RATE)
    return np.array(found)
