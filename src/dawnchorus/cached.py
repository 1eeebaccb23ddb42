"""The cache of spectrograms: `<folder>/<recording_id>.npy`, dB, time first, [Frames, Mels], float16."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing


def write_spectrogram(folder: Path, recording_id: str, blocks: Iterable[NDArray[np.floating]]) -> None:
    """Write a spectrogram in dB that comes in blocks of shape [Frames, Mels], at least one."""
    with replacing(folder / f"{recording_id}.npy") as path, path.open("wb") as file:
        frames = 0
        for block in blocks:
            if not frames:
                _write_heading(file, block.shape)
            file.write(block.astype(np.float16).data)
            frames += len(block)
        # NumPy leaves room in the heading for as many frames as there may come.
        file.seek(0)
        _write_heading(file, (frames, block.shape[1]))


def _write_heading(file: BinaryIO, shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})


@dataclass(frozen=True)
class Spectrograms:
    """The cached spectrograms of a folder, of which only the frames that are asked for are read.

    Attributes:
        folder: holds `<recording_id>.npy`.
    """

    folder: Path
    # Of each file once opened: where its frames begin, in bytes, and its shape.
    _headings: dict[str, tuple[int, tuple[int, int]]] = field(default_factory=dict)

    def frames(self, recording_id: str) -> int:
        """How many frames a recording has.

        Raises:
            InputError: there is no such spectrogram, or the file is damaged.
        """
        return self._heading(recording_id)[1][0]

    def read(self, recording_id: str, start: int, window: NDArray[np.float16]) -> None:
        """Read frames from `start` on into a window of shape [Frames, Mels].

        Where the recording ends earlier, the rest is filled with the lowest level of what there is.

        Raises:
            InputError: there is no such spectrogram, the file is damaged, or has other mel bands.
        """
        offset, (frames, n_mels) = self._heading(recording_id)
        path = self.folder / f"{recording_id}.npy"
        if n_mels != window.shape[1]:
            raise InputError(f"{path}: has {n_mels} mel bands, expected {window.shape[1]}; delete it and run again")
        part = window[: frames - start]
        with path.open("rb", buffering=0) as file:
            file.seek(offset + start * n_mels * window.itemsize)
            if file.readinto(part.data) != part.nbytes:
                raise InputError(f"{path}: ends before its {frames} frames; delete the file and run again")
        if len(part) < len(window):
            window[len(part) :] = part.min()

    def _heading(self, recording_id: str) -> tuple[int, tuple[int, int]]:
        if recording_id not in self._headings:
            path = self.folder / f"{recording_id}.npy"
            try:
                mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise InputError(
                    f"{path}: cannot be read: {error}; does recording {recording_id!r} have an audio file? "
                    "If so, delete the file and run again"
                ) from error
            if mapped.dtype != np.float16 or mapped.ndim != 2 or not mapped.size:
                raise InputError(f"{path}: is no spectrogram of float16 frames; delete the file and run again")
            self._headings[recording_id] = (mapped.offset, mapped.shape)
        return self._headings[recording_id]
