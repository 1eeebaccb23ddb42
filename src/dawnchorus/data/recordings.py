"""Recordings: finding them in a folder, and the table `data/recordings.csv`."""

import os
import shlex
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

SUFFIXES = (".flac", ".wav", ".wave", ".ogg", ".mp3", ".aif", ".aiff", ".aifc", ".oga", ".opus", ".w64")
# Sound that ffmpeg can convert, but that is not read here.
OTHER_SUFFIXES = (".3gp", ".aac", ".ac3", ".amr", ".ape", ".au", ".caf", ".m4a", ".m4b", ".mka", ".mp2", ".mp4", ".tta",
                  ".webm", ".wma", ".wv")  # fmt: skip
# `start` is ISO 8601 or empty. Files with the same sound have the same `digest`.
COLUMNS = ["recording_id", "file", "split", "group", "start", "seconds", "sample_rate", "channels", "usable",
           "problem", "peak", "rms", "digest"]  # fmt: skip


def list_recordings(
    folder: Path, may_be_empty: bool = False, clips: Container[Path] = ()
) -> tuple[dict[str, Path], list[str]]:
    """Find the audio files in a folder and its subfolders.

    A recording_id is the path of the file relative to the folder, without suffix: "site1/20240611_053000".

    Args:
        folder: the folder.
        may_be_empty: whether the folder may be missing or have no audio files.
        clips: audio files that are no recordings, but cut from some.

    Returns:
        The files by recording_id, sorted, and remarks about files that hold sound but are not read.

    Raises:
        InputError: the folder is missing or has no audio files, two files have the same recording_id, or a file name
            is not UTF-8 or has a line break.
    """
    if not folder.is_dir() and not may_be_empty:
        raise InputError(f"{folder}: is missing; `data.root` in params.yaml must name its parent folder")
    found: dict[str, Path] = {}
    others: list[Path] = []
    n_clips = 0
    for path in files_below(folder):
        if path in clips:
            n_clips += 1
            continue
        if path.suffix.lower() not in SUFFIXES:
            others += [path] if path.suffix.lower() in OTHER_SUFFIXES else []
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{folder}: the file name {os.fsencode(path.name)!r} is not UTF-8; rename it") from error
        if "\n" in name or "\r" in name:
            raise InputError(f"{folder}: the file name {name!r} has a line break; rename it")
        if name in found:
            raise InputError(f"{path}: recording {name!r} already exists as {found[name].name}; rename one of them")
        found[name] = path
    remarks = []
    if others:
        counts = Counter(path.suffix.lower() for path in others)
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
        remarks.append(f"{folder.name}: some files are in formats that are not read: {kinds}; {conversion(others[0])}")
    if not found and not may_be_empty:
        expected = f"expected files that end in {', '.join(SUFFIXES)}"
        if n_clips:
            remarks.append(f"{n_clips} clips are no recordings: add those that they were cut from")
        raise InputError("; ".join([f"{folder}: contains no recordings", expected, *remarks]))
    return dict(sorted(found.items())), remarks


def conversion(path: Path) -> str:
    """What to do with a file that holds sound but is not read."""
    return f"convert to FLAC: {shlex.join(['ffmpeg', '-i', str(path), str(path.with_suffix('.flac'))])}"


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and the folders in it, sorted, but hidden ones, such as the `._*` that macOS leaves.

    Raises:
        InputError: a folder is a link, into which DVC does not look, or cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}; correct its permissions") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse if folder.exists() else None):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in [folder, *(Path(parent, name) for name in folders)]:
            if path.is_symlink():
                raise InputError(
                    f"{path}: is a link to a folder, and DVC would not notice when its recordings change; put the "
                    "recordings themselves there, or set data.root in params.yaml to where they are"
                )
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def read_recordings(path: Path, more: Sequence[str] = ()) -> pd.DataFrame:
    """Read `data/recordings.csv` or one of its parts in `data/splits/`.

    Args:
        path: the CSV file.
        more: additional text columns that the table must have.

    Returns:
        The columns `COLUMNS` and `more`, indexed by recording_id. `seconds` is float, `usable` is bool, and the others
        are text. A training recording and a test recording may have the same recording_id.

    Raises:
        InputError: the table is missing or damaged, or a path leads out of the data set's folder.
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
    """Write a table in the form that `read_recordings` returns."""
    table.assign(usable=table.usable.astype(int)).to_csv(path, index_label="recording_id")


def _stays_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and "\0" not in name and parts[0] != "/" and ".." not in parts
