"""Recordings: which there are, `data/recordings.csv`, and what of them is used for what."""

import os
from collections.abc import Container, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")
# `start` is ISO 8601 or empty; `digest` tells whether two files hold the same sound.
COLUMNS = ["recording_id", "file", "split", "group", "start", "seconds", "sample_rate", "channels", "usable",
           "problem", "peak", "rms", "digest"]  # fmt: skip


def list_recordings(folder: Path, may_be_empty: bool = False) -> dict[str, Path]:
    """The audio files in a folder and the folders in it, sorted by recording_id.

    A recording_id is the file's path below the folder without its suffix: "site1/20240611_053000".

    Args:
        folder: the folder.
        may_be_empty: whether it may have no audio file, or be missing.

    Raises:
        InputError: the folder is missing or has no audio file, two files are one recording, or a name is no text.
    """
    if not folder.is_dir() and not may_be_empty:
        raise InputError(f"{folder}: is missing; `data.root` in params.yaml names the folder that holds it")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{folder}: the file name {os.fsencode(path.name)!r} is not UTF-8; rename it") from error
        if name in found:
            raise InputError(f"{path}: recording {name!r} is there twice, as {found[name].name} too")
        found[name] = path
    if not found and not may_be_empty:
        raise InputError(f"{folder}: holds no recording; expected files that end in {', '.join(SUFFIXES)}")
    return dict(sorted(found.items()))


def read_recordings(path: Path, more: Sequence[str] = ()) -> pd.DataFrame:
    """Read `data/recordings.csv` or a part of it in `data/splits/`.

    Args:
        path: of the table.
        more: columns of text that it must have beside `COLUMNS`.

    Returns:
        The columns `COLUMNS` but recording_id, and `more`: text, but seconds float and usable bool. They are indexed by
        recording_id, which may be that of a training and of a test recording.

    Raises:
        InputError: the table is missing or damaged, or a name leads out of its folder.
    """
    columns = [*COLUMNS, *more]
    table = read_table(path, columns, may_be_empty=True)[columns].copy()
    for column in ("recording_id", "file"):
        refuse_rows(path, table, column, ~table[column].map(_stays_inside), "a path below the data set's folder")
    refuse_rows(path, table, "recording_id", table.duplicated(["split", "recording_id"]), "each recording once")
    refuse_rows(path, table, "usable", ~table.usable.isin(["0", "1"]), "0 or 1")
    table["seconds"] = to_numbers(path, table, "seconds")
    table["usable"] = table.usable == "1"
    return table.set_index("recording_id")


def write_recordings(path: Path, table: pd.DataFrame) -> None:
    """Write a table that `read_recordings` gives."""
    table.assign(usable=table.usable.astype(int)).to_csv(path, index_label="recording_id")


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


def _stays_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and "\0" not in name and parts[0] != "/" and ".." not in parts
