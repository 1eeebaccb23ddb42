"""Removal of outputs that models of an earlier experiment left behind."""

import os
import shutil
from collections.abc import Container, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from dawnchorus.config.names import STUDENT
from dawnchorus.errors import InputError
from dawnchorus.workflow.file_locks import lock

# Subfolders of results with paths <round>/<backbone>/<fold>, or <round>/student/<backbone>, where the last part is a
# folder or the start of a file name.
FOLDERS = ("models", "curves", "epoch_weights", "predictions", "supervised", "checkpoints")


def prune(
    results: Path, rounds: Sequence[str], backbones: Sequence[str], folds: Sequence[int], students: Sequence[str]
) -> list[Path]:
    """Remove the outputs of models that are not part of the experiment.

    DVC hashes some folders as a whole, and plots all curves in a folder. With files of other models in them, an
    experiment would look changed. The removed files remain in DVC's cache, and DVC restores them on demand.

    Several processes may call this at once. Each returns when nothing is left to remove.

    Args:
        results: folder that contains `FOLDERS`; it may be missing.
        rounds: ids of the experiment's rounds.
        backbones: names of its backbones.
        folds: its folds.
        students: the backbone of its student, if it has one, which is of the last round.

    Returns:
        The files and folders that were removed.
    """
    if not results.is_dir():
        return []
    kept = {(each, backbone, str(fold)) for each in rounds for backbone in backbones for fold in folds}
    kept |= {(rounds[-1], STUDENT, backbone) for backbone in students}
    # A folder must not vanish while another process lists it.
    try:
        held: AbstractContextManager = lock(results / ".prune.lock", held=None)
    except InputError:
        # On a file system without locks, only `dvc repro` works, which runs one job at a time.
        held = nullcontext()
    with held:
        return _remove_others(results, kept)


def _remove_others(results: Path, kept: Container[tuple[str, str, str]]) -> list[Path]:
    """Remove all outputs but those of the models in `kept`, and the folders that are empty then."""
    removed = []
    for kind in FOLDERS:
        for path in sorted((results / kind).glob("*/*/*")):
            # The name of a file that is being written starts with a dot; its job may still be running.
            if not path.name.startswith(".") and (*path.parts[-3:-1], path.name.split(".")[0]) not in kept:
                _remove(path)
                removed.append(path)
    for path in removed:
        for folder in (path.parent, path.parent.parent):
            # This fails, as it should, if the folder is not empty.
            with suppress(OSError):
                folder.rmdir()
    return removed


def _remove(path: Path) -> None:
    """Remove a file or folder; a process that is killed meanwhile leaves none that is half empty."""
    mine = path.with_name(f".writing.{os.getpid()}.{path.name}")
    path.rename(mine)
    if mine.is_dir():
        shutil.rmtree(mine)
    else:
        mine.unlink()
