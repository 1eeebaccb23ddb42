"""The feature store: one file `<folder>/<recording_id>.npy` per recording, int16, shape [Frames, Mels].

A number in it is the code of a level: its dB times 256, rounded. So levels from -128 dB to just below 128 dB are off by
1/512 dB at most. Half precision takes as much space, but is 16 times as coarse between 64 and 128 dB.
"""

import resource
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing

# Each memory map keeps a file open. Linux allows 65,530 maps per process.
MOST_MAPS = 30_000

CODES_PER_DECIBEL = 256
LOWEST_CODE, HIGHEST_CODE = -(2**15), 2**15 - 1


def write_features(folder: Path, recording_id: str, blocks: Iterable[NDArray[np.float32]]) -> None:
    """Write a spectrogram in dB.

    Args:
        folder: where to write `<recording_id>.npy`.
        recording_id: of the recording.
        blocks: consecutive blocks of the spectrogram, at least one, each with shape [Frames, Mels].
    """
    with replacing(folder / f"{recording_id}.npy") as path, path.open("wb") as file:
        frames = 0
        for block in blocks:
            if not frames:
                _write_header(file, block.shape)
            file.write(to_codes(block).data)
            frames += len(block)
        # NumPy's header has enough padding for any number of frames.
        file.seek(0)
        _write_header(file, (frames, block.shape[1]))


def to_codes(decibels: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round finite decibels to the codes of the store. Levels beyond its range get the lowest or highest code."""
    codes = decibels * np.float32(CODES_PER_DECIBEL)
    np.rint(codes, out=codes)
    # Without this, a sound that is much too loud would become silence.
    np.clip(codes, LOWEST_CODE, HIGHEST_CODE, out=codes)
    return codes.astype(np.int16)


def from_codes(codes: NDArray[np.int16]) -> NDArray[np.float32]:
    """Convert codes of the store to decibels, which float32 holds exactly."""
    return codes * np.float32(1 / CODES_PER_DECIBEL)


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": shape})


class FeatureStore:
    """The cached spectrograms of a folder or several. They are memory-mapped, so only requested frames are read."""

    def __init__(self, folder: Path, *others: Path) -> None:
        """Open folders that contain `<recording_id>.npy` files; a recording is read from the first that has it."""
        self._folders = (folder, *others)
        self._map = lru_cache(_may_open(2 * MOST_MAPS) // 2)(self._open)

    def names(self) -> list[str]:
        """The recordings that the folders hold, sorted."""
        found = {path.relative_to(folder) for folder in self._folders for path in folder.rglob("*.npy")}
        return sorted(path.with_suffix("").as_posix() for path in found)

    def frames(self, recording_id: str) -> int:
        """The number of frames of a recording.

        Raises:
            InputError: the spectrogram is missing or damaged.
        """
        return len(self._map(recording_id))

    def read(self, recording_id: str, start: int, window: NDArray[np.int16]) -> None:
        """Read the codes of the frames from `start` on into a window of shape [Frames, Mels].

        If the recording ends before the window, the rest is filled with the lowest level of the frames that were read.

        Raises:
            InputError: the spectrogram is missing, is damaged, or has a different number of mel bands.
        """
        spectrogram = self._map(recording_id)
        if spectrogram.shape[1] != window.shape[1]:
            raise InputError(
                f"{self._path(recording_id)}: has {spectrogram.shape[1]} mel bands, expected {window.shape[1]}; "
                "run `make verify`, then repeat the command"
            )
        part = spectrogram[start : start + len(window)]
        window[: len(part)] = part
        if len(part) < len(window):
            window[len(part) :] = part.min()

    def _path(self, recording_id: str) -> Path:
        paths = [folder / f"{recording_id}.npy" for folder in self._folders]
        return next((path for path in paths[1:] if path.exists() and not paths[0].exists()), paths[0])

    def _open(self, recording_id: str) -> NDArray[np.int16]:
        path = self._path(recording_id)
        try:
            # Unlike `np.load`, this reads neither archives nor pickles.
            mapped = np.lib.format.open_memmap(path, mode="r")
        # NumPy parses the header as Python source, and lets any of the parser's exceptions through.
        except Exception as error:
            raise InputError(
                f"{path}: cannot be read: {error}; does recording {recording_id!r} have an audio file? "
                "If so, run `make verify`, then repeat the command"
            ) from error
        if mapped.dtype == np.float16:
            raise InputError(
                f"{path}: is a float16 spectrogram of an earlier version, expected int16; run `snakemake` or "
                "`dvc repro`, which cache spectrograms again"
            )
        if mapped.dtype != np.int16 or mapped.ndim != 2 or not mapped.size:
            raise InputError(f"{path}: is not an int16 spectrogram; run `make verify`, then repeat the command")
        # Slicing a plain array over the same memory takes a tenth of the time.
        return mapped.view(np.ndarray)


def _may_open(files: int) -> int:
    """Raise this process's limit on open files to `files`, or to its hard limit if lower; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
