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
# Longest name without suffix, bytes. Files that are named after a recording have longer suffixes; a name has 255 bytes.
MOST_NAME_BYTES = 220
# What later stages read. `data/recordings.csv` also has the column `site`: a new name of a site changes no other table.
# `start` is ISO 8601 or empty. Files with the same sound have the same `digest`.
COLUMNS = ["recording_id", "file", "split", "group", "start", "seconds", "sample_rate", "channels", "usable",
           "problem", "peak", "rms", "digest"]  # fmt: skip


def list_recordings(
    folder: Path, may_be_empty: bool = False, clips: Container[Path] = (), with_unusable: bool = False
) -> tuple[dict[str, Path], list[str]]:
    """Find the audio files in a folder and its subfolders.

    A recording_id is the path of the file relative to the folder, without suffix: "site1/20240611_053000".

    Args:
        folder: the folder.
        may_be_empty: whether the folder may be missing or have no audio files.
        clips: audio files that are no recordings, but cut from some.
        with_unusable: whether the result includes files and folders that `why_unusable` refuses. Characters of their
            recording_id that cannot be written are escaped.

    Returns:
        The files by recording_id, sorted, and remarks about files that hold sound but are not read.

    Raises:
        InputError: the folder is missing or has no audio files, two files have the same recording_id, or, unless
            `with_unusable`, a file name is not UTF-8 or has a line break, or a folder is a link or cannot be read.
    """
    if not folder.is_dir() and not may_be_empty:
        raise InputError(f"{folder}: is missing; `data.root` in params.yaml must name its parent folder")
    found: dict[str, Path] = {}
    others: list[Path] = []
    n_clips = 0
    skipped: list[Path] | None = [] if with_unusable else None
    files = files_below(folder, skipped)
    found.update({escaped(path.relative_to(folder)): path for path in skipped or ()})
    for path in files:
        if path in clips:
            n_clips += 1
            continue
        if path.suffix.lower() not in SUFFIXES:
            others += [path] if path.suffix.lower() in OTHER_SUFFIXES else []
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if escaped(name) != name:
            why = "has a line break" if is_utf8(name) else "is not UTF-8"
            if not with_unusable:
                shown = name if is_utf8(name) else os.fsencode(path.name)
                raise InputError(f"{folder}: the file name {shown!r} {why}; rename it")
            name = escaped(name)
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


def why_unusable(path: Path) -> str:
    """Why a path from `list_recordings(..., with_unusable=True)` is no recording; empty if it may be one."""
    if not is_utf8(str(path)):
        return "its name is not UTF-8; rename it"
    if {"\n", "\r"} & set(str(path)):
        return "its name has a line break; rename it"
    if len(os.fsencode(path.stem)) > MOST_NAME_BYTES:
        return (
            f"its name has {len(os.fsencode(path.stem))} bytes without suffix, expected at most {MOST_NAME_BYTES}, so "
            "that files can be named after it; rename it"
        )
    if not path.is_dir():
        return ""
    if path.is_symlink():
        return "is a link to a folder, which is not searched; name that folder, too"
    try:
        os.scandir(path).close()
    except OSError as error:
        return f"the folder cannot be read: {error.strerror}; correct its permissions"
    return "the folder could not be read; repeat the command"


def escaped(path: Path | str) -> str:
    """A path as text that can be written to a line of a file: other bytes than UTF-8, and line breaks, as escapes."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def is_utf8(name: str) -> bool:
    """Whether the bytes of a file's name are UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def files_below(folder: Path, skipped: list[Path] | None = None) -> list[Path]:
    """The files in a folder and the folders in it, sorted, but hidden ones, such as the `._*` that macOS leaves.

    Args:
        folder: the folder.
        skipped: gets the folders in it that are links or cannot be read, in place of an error.

    Raises:
        InputError: a folder is a link, into which DVC does not look, or cannot be read.
    """

    def refuse(error: OSError) -> None:
        if skipped is not None and Path(error.filename) != folder:
            skipped.append(Path(error.filename))
            return
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}; correct its permissions") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse if folder.exists() else None):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if skipped is not None:
            skipped += [path for name in folders if (path := Path(parent, name)).is_symlink()]
            folders[:] = [name for name in folders if not Path(parent, name).is_symlink()]
        for path in [folder, *(Path(parent, name) for name in folders)]:
            if path.is_symlink():
                raise InputError(
                    f"{path}: is a link to a folder, and DVC would not notice when files in it change; put the files "
                    "themselves there, or set data.root or data.labels in params.yaml to where they are"
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
    remedy = "`snakemake` and `dvc repro` make it; if a run has failed, mend the cause and repeat it"
    table = read_table(path, columns, may_be_empty=True, named_by=remedy)[columns].copy()
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
