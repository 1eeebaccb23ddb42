"""Recordings: which there are, and `data/recordings.csv`."""

import os
from collections.abc import Container
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows
from dawnchorus.errors import InputError

SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")


def list_recordings(folder: Path) -> dict[str, Path]:
    """The audio files directly in a folder by recording_id, which is the file's name without its suffix, sorted.

    Raises:
        InputError: the folder is missing or has no audio file, two files are one recording, or a name is no text.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: is missing; `data.root` in params.yaml names the folder that holds it")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            try:
                path.name.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"{folder}: the file name {os.fsencode(path.name)!r} is not UTF-8; rename it"
                ) from error
            if path.stem in found:
                raise InputError(f"{path}: recording {path.stem!r} is there twice, as {found[path.stem].name} too")
            found[path.stem] = path
    if not found:
        raise InputError(f"{folder}: holds no recording; expected files that end in {', '.join(SUFFIXES)}")
    return found


def read_recordings(path: Path) -> pd.DataFrame:
    """Read `data/recordings/<split>.csv`: the usable recordings.

    Returns:
        Text columns file and same_as (the first recording with the same samples, mostly itself), indexed by
        recording_id.

    Raises:
        InputError: as in `read_scores`, and for a name that leads into another folder.
    """
    columns = ["recording_id", "file", "same_as"]
    table = read_table(path, columns)[columns]
    for column in columns:
        refuse_rows(path, table, column, ~table[column].map(_is_file_name), "a name without a folder")
    refuse_rows(path, table, "recording_id", table.recording_id.duplicated(), "each recording once")
    return table.set_index("recording_id")


def read_skipped(path: Path) -> list[str]:
    """Read `data/audio.csv`: the names of the recordings that cannot be used, as split/recording_id."""
    table = read_table(path, ["split", "recording_id", "usable"])
    refuse_rows(path, table, "usable", ~table.usable.isin(["0", "1"]), "0 or 1")
    bad = table[table.usable == "0"]
    return [f"{split}/{name}" for split, name in zip(bad.split, bad.recording_id, strict=True)]


def require_recordings(path: Path, names: pd.Series, recordings: Container[str], folder: Path) -> None:
    """Refuse the first row of a table whose recording has no file.

    Args:
        path: the table.
        names: its recording_id of each row.
        recordings: those that have a file.
        folder: where the file should be.

    Raises:
        InputError: with the line, the recording and the folder.
    """
    without = np.array([name not in recordings for name in names], bool)
    refuse_rows(
        path, names.to_frame("recording_id"), "recording_id", without, f"a recording that has a file in {folder}"
    )


def _is_file_name(name: str) -> bool:
    return name not in ("", "..") and "\0" not in name and Path(name).name == name
