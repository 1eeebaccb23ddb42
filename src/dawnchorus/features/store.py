"""The cache of spectrograms: `<folder>/<recording_id>.npy`, dB, time first, [Frames, Mels], float16."""

import resource
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing

# Each holds a file open, and Linux lets a process have 65,530.
MOST_MAPS = 30_000


def write_features(folder: Path, recording_id: str, blocks: Iterable[NDArray[np.float32]]) -> None:
    """Write a spectrogram in dB that comes in blocks of shape [Frames, Mels], at least one."""
    with replacing(folder / f"{recording_id}.npy") as path, path.open("wb") as file:
        frames = 0
        for block in blocks:
            if not frames:
                _write_heading(file, block.shape)
            file.write(to_half(block).data)
            frames += len(block)
        # NumPy leaves room in the heading for as many frames as there may come.
        file.seek(0)
        _write_heading(file, (frames, block.shape[1]))


def to_half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """Round finite values below 65,520 to the nearest float16, as `astype` does, in a third of its time.

    Scaled by the difference of the two types' exponents, a float32 holds the float16's bits above 13 others; adding
    just less than half of those, and one more where the last bit is odd, rounds to nearest, ties to even.
    """
    bits = (values * np.float32(2.0**-112)).view(np.uint32)
    half = bits >> 13
    half &= 1
    half += 0x0FFF
    half += bits
    sign = half >> 16
    sign &= 0x8000
    half >>= 13
    half |= sign
    # Of the 32 bits there count the lower 16.
    return half.astype(np.uint16).view(np.float16)


def _write_heading(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})


class FeatureStore:
    """The cached spectrograms of a folder, memory-mapped: only the frames that are asked for are read."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that holds `<recording_id>.npy`."""
        self._folder = folder
        self._map = lru_cache(_may_open(2 * MOST_MAPS) // 2)(self._open)

    def names(self) -> list[str]:
        """The recordings that the folder holds, sorted."""
        return sorted(path.relative_to(self._folder).with_suffix("").as_posix() for path in self._folder.rglob("*.npy"))

    def frames(self, recording_id: str) -> int:
        """How many frames a recording has.

        Raises:
            InputError: there is no such spectrogram, or the file is damaged.
        """
        return len(self._map(recording_id))

    def read(self, recording_id: str, start: int, window: NDArray[np.float16]) -> None:
        """Read frames from `start` on into a window of shape [Frames, Mels].

        Where the recording ends earlier, the rest is filled with the lowest level of what there is.

        Raises:
            InputError: there is no such spectrogram, the file is damaged, or has other mel bands.
        """
        spectrogram = self._map(recording_id)
        if spectrogram.shape[1] != window.shape[1]:
            raise InputError(
                f"{self._folder / recording_id}.npy: has {spectrogram.shape[1]} mel bands, expected {window.shape[1]}; "
                "run `make verify`, then again"
            )
        part = spectrogram[start : start + len(window)]
        window[: len(part)] = part
        if len(part) < len(window):
            window[len(part) :] = part.min()

    def _open(self, recording_id: str) -> NDArray[np.float16]:
        path = self._folder / f"{recording_id}.npy"
        try:
            # Unlike `load` it knows no format but this one: no archives, and no pickles.
            mapped = np.lib.format.open_memmap(path, mode="r")
        # NumPy reads the heading as Python's source, with whatever its parser raises.
        except Exception as error:
            raise InputError(
                f"{path}: cannot be read: {error}; does recording {recording_id!r} have an audio file? "
                "If so, run `make verify`, then again"
            ) from error
        if mapped.dtype != np.float16 or mapped.ndim != 2 or not mapped.size:
            raise InputError(f"{path}: is no spectrogram of float16 frames; run `make verify`, then again")
        # A plain array over the same memory: slicing it takes a tenth of the time.
        return mapped.view(np.ndarray)


def _may_open(files: int) -> int:
    """Let this process hold so many files open, or as many as its hard limit allows; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
