"""Decoding of recordings, in one pass from start to end, at a requested sample rate."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from dawnchorus.audio.containers import mp3
from dawnchorus.errors import InputError

# Samples per block, small enough for the processor's cache.
BLOCK = 524_288
PIPE_BYTES = 2**16

# Lowest and highest plausible sample rates, Hz. A damaged header can claim 1 Hz, which turns a minute into a month.
RATES = (1000, 10_000_000)

# A peak this far beyond full scale means that the file is damaged. Floats on the scale of 16-bit integers are below it.
ABSURD_PEAK = 1e5

Channel = int | Literal["mean"]


class ForwardFile(soundfile.SoundFile):
    """A file that is read from start to end.

    After each block of a seekable file, soundfile seeks to the position that it expects. In an OGG file with a hole,
    this repeats or skips samples, and behind damage in a FLAC file it fails.
    """

    def seekable(self) -> bool:
        """False, so that soundfile never seeks."""
        return False


@contextmanager
def open_forward(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open an audio file for `read_forward`.

    Raises:
        OSError: the file cannot be read.
        soundfile.SoundFileError: the file cannot be decoded.
    """
    # This error has a better message than libsndfile's "System error".
    path.open("rb").close()
    with ForwardFile(path) as file:
        if file.format != "MP3":
            yield file
            return
    with path.open("rb") as content:
        start = mp3.find_start(content)
    if start is None:
        # libsndfile finds MP3 in almost any bytes.
        raise soundfile.SoundFileError("no MP3 of layer III")
    with _piped(path, start) as pipe, ForwardFile(pipe, closefd=False) as file:
        yield file


@contextmanager
def _piped(path: Path, start: int) -> Iterator[int]:
    """The reading end of a pipe with the content of a file from an offset on.

    libsndfile ends an MP3 at a length that it estimates from the file's size. The size of a pipe is unknown to it. Tags
    before the first frame are left out, because in a pipe it does not look behind them.
    """
    reading, writing = os.pipe()

    def write() -> None:
        # The reader may close its end first, because of an error.
        with suppress(BrokenPipeError), path.open("rb") as file, os.fdopen(writing, "wb", buffering=0) as pipe:
            file.seek(start)
            while block := file.read(PIPE_BYTES):
                pipe.write(block)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield reading
    finally:
        os.close(reading)
        writer.join()


def read_forward(file: soundfile.SoundFile, block: int, dtype: str = "float32") -> Iterator[NDArray]:
    """Read a file from `open_forward` block by block, up to its stated length or the end of its data.

    Args:
        file: the file.
        block: samples per block, over all channels.
        dtype: "float32" for samples between -1 and 1, or "int32" for integers with the highest bits in use.

    Yields:
        Blocks of samples, shape [Samples, Channels].

    Raises:
        soundfile.SoundFileError: the file cannot be decoded.
    """
    left = file.frames
    # Behind the stated length, a tag would be decoded as a damaged frame.
    while left > 0 and len(samples := file.read(min(left, max(1, block // file.channels)), dtype, always_2d=True)):
        left -= len(samples)
        yield samples


def to_mono(samples: NDArray[np.float32], channel: Channel) -> NDArray[np.float32]:
    """Reduce samples to one channel.

    Args:
        samples: shape [Samples, Channels].
        channel: number of the channel, from 1, or "mean" for the mean of all channels.

    Returns:
        Shape [Samples].
    """
    if channel == "mean":
        return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return samples[:, channel - 1]


def read_blocks(path: Path, sample_rate: int, channel: Channel = "mean") -> Iterator[NDArray[np.float32]]:
    """Read a recording as blocks of mono samples between -1 and 1.

    soxr resamples recordings that have a different sample rate.

    Args:
        path: the audio file.
        sample_rate: sample rate of the result, Hz.
        channel: number of the channel, from 1, or "mean" for the mean of all channels.

    Yields:
        Blocks of samples, each with shape [Samples].

    Raises:
        InputError: the file cannot be decoded, has no samples, lacks the channel, or has an implausible sample rate or
            peak.
    """
    n_samples = 0
    try:
        with open_forward(path) as file:
            if not RATES[0] <= file.samplerate <= RATES[1]:
                raise InputError(
                    f"{path}: has a sample rate of {file.samplerate} Hz, expected {RATES[0]} to {RATES[1]}; replace or "
                    "remove the file"
                )
            if channel != "mean" and channel > file.channels:
                raise InputError(f"{path}: has {file.channels} channels, expected {channel}, as data.channel is")
            resampler = None
            if file.samplerate != sample_rate:
                resampler = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="HQ")
            for samples in read_forward(file, BLOCK):
                # The mean square takes a tenth of the time of the peak, and the negated comparison also catches NaN.
                if not np.vdot(samples, samples) <= ABSURD_PEAK**2 * samples.size:
                    raise InputError(
                        f"{path}: contains samples that are NaN, infinite or far beyond full scale; replace or remove "
                        "the file"
                    )
                mono = to_mono(samples, channel)
                block = mono if resampler is None else resampler.resample_chunk(mono)
                n_samples += len(block)
                yield block
            if resampler is not None:
                block = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
                n_samples += len(block)
                yield block
    except (OSError, soundfile.SoundFileError) as error:
        raise InputError(f"{path}: cannot be decoded: {error}; replace or remove the file") from error
    if not n_samples:
        raise InputError(f"{path}: has no samples at {sample_rate} Hz; replace or remove the file")
