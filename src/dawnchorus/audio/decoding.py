"""Decoding recordings, block by block, at the rate that is asked for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from dawnchorus.errors import InputError

# Samples that are decoded at once: few enough that they stay in the processor's cache.
BLOCK = 524_288


# Slowest and fastest recorders, Hz. Damaged headers say anything: taken for 1 Hz, a minute would become a month.
RATES = (1000, 10_000_000)


# So far beyond full scale is no sound but damage.
ABSURD_PEAK = 1e4


def read_blocks(path: Path, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Read a recording as blocks of mono samples in -1 to 1, shape [Samples] each, at `sample_rate` Hz.

    Channels are averaged; another rate is resampled by soxr.

    Raises:
        InputError: the file cannot be decoded, has no samples, or holds what is no sound.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if not RATES[0] <= file.samplerate <= RATES[1]:
                raise InputError(
                    f"{path}: has a rate of {file.samplerate} Hz, expected {RATES[0]} to {RATES[1]}; replace or remove "
                    "the file"
                )
            resampler = None
            if file.samplerate != sample_rate:
                resampler = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
            n_samples = 0
            while len(samples := file.read(max(1, BLOCK // file.channels), dtype="float32", always_2d=True)):
                # By their mean square, which takes a tenth of the time of their peak; also true of NaN.
                if not np.vdot(samples, samples) <= ABSURD_PEAK**2 * samples.size:
                    raise InputError(f"{path}: holds samples that are no sound; replace or remove the file")
                n_samples += len(samples)
                mono = samples[:, 0] if file.channels == 1 else samples.mean(axis=1)
                yield mono if resampler is None else resampler.resample_chunk(mono)
            if resampler is not None:
                yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{path}: cannot be decoded: {error}; replace or remove the file") from error
    if not n_samples:
        raise InputError(f"{path}: has no samples; replace or remove the file")
