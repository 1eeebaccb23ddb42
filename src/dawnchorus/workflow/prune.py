"""Removing what models of an earlier experiment left behind."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from dawnchorus.config.rounds import NONE

# Folders of results with <round>/<backbone>/<fold>, a folder or the beginning of a file's name.
FOLDERS = ("models", "curves", "epoch_weights", "predictions", "checkpoints")


def prune(results: Path, rounds: Sequence[str], backbones: Sequence[str], folds: Sequence[int]) -> None:
    """Remove what models left that the experiment does not have.

    DVC takes one hash of a whole folder, and plots all curves in one, so with other models' files in it an experiment
    would look new. DVC's cache keeps what is removed here and brings it back on demand.

    Args:
        results: folder with `FOLDERS`; it may be missing.
        rounds: ids of the experiment's rounds.
        backbones: names of its backbones.
        folds: its folds.
    """
    kept = {(each, backbone, str(fold)) for each in rounds for backbone in backbones for fold in folds}
    for folder in FOLDERS:
        for path in sorted((results / folder).glob("*/*/*")):
            # A file that is being written begins with a dot, and belongs to a job that may still run.
            if not path.name.startswith(".") and (*path.parts[-3:-1], path.name.split(".")[0]) not in kept:
                _remove(path)
        for path in (*(results / folder).glob("*/*/"), *(results / folder).glob("*/")):
            # The folder of no round is empty on purpose.
            if path.name != NONE and not any(path.iterdir()):
                path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
