"""Decoding of recordings, block by block, at a requested sample rate."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from dawnchorus.errors import InputError

# Samples per block, small enough for the processor's cache.
BLOCK = 524_288

# Lowest and highest plausible sample rates, Hz. A damaged header can claim 1 Hz, which turns a minute into a month.
RATES = (1000, 10_000_000)

# A peak this far beyond full scale means that the file is damaged.
ABSURD_PEAK = 1e4


def read_blocks(path: Path, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Read a recording as blocks of mono samples between -1 and 1.

    Channels are averaged. soxr resamples recordings that have a different sample rate.

    Args:
        path: the audio file.
        sample_rate: sample rate of the result, Hz.

    Yields:
        Blocks of samples, each with shape [Samples].

    Raises:
        InputError: the file cannot be decoded, has no samples, or has an implausible sample rate or peak.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if not RATES[0] <= file.samplerate <= RATES[1]:
                raise InputError(
                    f"{path}: has a sample rate of {file.samplerate} Hz, expected {RATES[0]} to {RATES[1]}; replace or "
                    "remove the file"
                )
            resampler = None
            if file.samplerate != sample_rate:
                resampler = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
            n_samples = 0
            while len(samples := file.read(max(1, BLOCK // file.channels), dtype="float32", always_2d=True)):
                # The mean square takes a tenth of the time of the peak, and the negated comparison also catches NaN.
                if not np.vdot(samples, samples) <= ABSURD_PEAK**2 * samples.size:
                    raise InputError(
                        f"{path}: contains samples that are NaN, infinite or far beyond full scale; replace or remove "
                        "the file"
                    )
                n_samples += len(samples)
                mono = samples[:, 0] if file.channels == 1 else samples.mean(axis=1)
                yield mono if resampler is None else resampler.resample_chunk(mono)
            if resampler is not None:
                yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{path}: cannot be decoded: {error}; replace or remove the file") from error
    if not n_samples:
        raise InputError(f"{path}: has no samples; replace or remove the file")
