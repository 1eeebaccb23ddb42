"""Refuse the results of a job whose inputs change while it runs.

DVC hashes a stage's dependencies after its command has ended. Without this check, it would record an edit that was made
during a job as what made the job's outputs.
"""

import fnmatch
import hashlib
import os
import reprlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dawnchorus.dotted import flatten
from dawnchorus.errors import InputError

MOST_SHOWN = 5
MISSING = "missing"
# How long a program may take to write a file.
SECONDS_TO_WRITE = 1.0

Stamp = tuple[int, int, int]


@dataclass
class Watch:
    """The state of a job's inputs at its start.

    Attributes:
        files: size, time and inode of each file, and the hash of its content.
        folders: size, time and inode of each file in a folder, by path.
        parameters: the keys that the job uses of each parameter file, the file's stamp, and their values.
        ignored: patterns of file names that DVC ignores.
    """

    files: dict[Path, tuple[Stamp | None, str]] = field(default_factory=dict)
    folders: dict[Path, dict[str, Stamp | None]] = field(default_factory=dict)
    parameters: dict[Path, tuple[Sequence[str], Stamp | None, dict[str, Any]]] = field(default_factory=dict)
    ignored: Sequence[str] = ()


# Empty in a process that no engine has started.
_watch = Watch()


def watch_inputs(paths: Iterable[Path], parameters: Mapping[Path, Sequence[str]], ignored: Sequence[str] = ()) -> None:
    """Remember the present state of this process's inputs, in place of any remembered before.

    Args:
        paths: files, compared by content, and folders, whose files are compared by size, time and inode.
        parameters: the keys, such as "train.epochs", that the job uses of each parameter file; empty for all of them.
        ignored: patterns of names of files and folders to leave out.

    Raises:
        InputError: a parameter file is not valid YAML.
    """
    global _watch
    _watch = Watch(ignored=ignored)
    for path in paths:
        if path.is_dir():
            _watch.folders[path] = _listing(path, ignored)
        else:
            _watch.files[path] = (_stamp(path), _digest(path))
    for path, keys in parameters.items():
        _watch.parameters[path] = (keys, _stamp(path), _values(path, keys))


def require_unchanged() -> None:
    """Check that the inputs are those of the start.

    Raises:
        InputError: an input differs; the message names it.
    """
    if not _changes():
        return
    # The file may be incomplete just now.
    time.sleep(SECONDS_TO_WRITE)
    changes = _changes()
    if changes:
        more = [f"and {len(changes) - MOST_SHOWN} more"] if len(changes) > MOST_SHOWN else []
        raise InputError(
            f"inputs of this job changed while it ran: {', '.join([*changes[:MOST_SHOWN], *more])}. Its results are "
            "not recorded, because they may come from either version; run again"
        )


def _changes() -> list[str]:
    return [*_changed_files(), *_changed_folders(), *_changed_parameters()]


def _changed_files() -> list[str]:
    found = []
    for path, (stamp, digest) in _watch.files.items():
        if _stamp(path) != stamp and (now := _digest(path)) != digest:
            found.append(f"{path} is {MISSING}" if now == MISSING else str(path))
    return found


def _changed_folders() -> list[str]:
    found = []
    for path, before in _watch.folders.items():
        now = _listing(path, _watch.ignored)
        found += [str(path / name) for name in before.keys() & now.keys() if before[name] != now[name]]
        found += [f"{path / name} is {MISSING}" for name in before.keys() - now.keys()]
        found += [f"{path / name} is new" for name in now.keys() - before.keys()]
    return sorted(found)


def _changed_parameters() -> list[str]:
    found = []
    for path, (keys, stamp, before) in _watch.parameters.items():
        try:
            now = before if _stamp(path) == stamp else _values(path, keys)
        except InputError as error:
            found.append(str(error))
            continue
        for key in sorted(before.keys() | now.keys()):
            old, new = before.get(key, MISSING), now.get(key, MISSING)
            if old != new:
                found.append(f"{path}: {key} was {reprlib.repr(old)} and is {reprlib.repr(new)}")
    return found


def _stamp(path: Path | os.DirEntry[str]) -> Stamp | None:
    """Size, time and inode of a file, or of the file that a link leads to; None if there is none."""
    try:
        # `DirEntry.stat` may be remembered from the time when its folder was read.
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return MISSING


def _listing(folder: Path, ignored: Sequence[str]) -> dict[str, Stamp | None]:
    """The stamps of all files in a folder and its subfolders; like DVC, this does not follow links to folders."""
    found: dict[str, Stamp | None] = {}
    waiting = [str(folder)] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in ignored):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.is_dir():
                    found[entry.path.removeprefix(f"{folder}/")] = _stamp(entry)
    return found


def _values(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except (OSError, ValueError, YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    wanted = tuple(f"{key}." for key in keys)
    found = flatten(content if isinstance(content, dict) else {"": content})
    return {key: value for key, value in found.items() if not keys or f"{key}.".startswith(wanted)}
