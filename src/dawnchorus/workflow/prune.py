"""Removal of outputs that models of an earlier experiment left behind."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from dawnchorus.config.rounds import NONE

# Subfolders of results with paths <round>/<backbone>/<fold>, where <fold> is a folder or the start of a file name.
FOLDERS = ("models", "curves", "epoch_weights", "predictions", "checkpoints")


def prune(results: Path, rounds: Sequence[str], backbones: Sequence[str], folds: Sequence[int]) -> None:
    """Remove the outputs of models that are not part of the experiment.

    DVC hashes some folders as a whole, and plots all curves in a folder. With files of other models in them, an
    experiment would look changed. The removed files remain in DVC's cache, and DVC restores them on demand.

    Args:
        results: folder that contains `FOLDERS`; it may be missing.
        rounds: ids of the experiment's rounds.
        backbones: names of its backbones.
        folds: its folds.
    """
    kept = {(each, backbone, str(fold)) for each in rounds for backbone in backbones for fold in folds}
    for folder in FOLDERS:
        for path in sorted((results / folder).glob("*/*/*")):
            # The name of a file that is being written starts with a dot; its job may still be running.
            if not path.name.startswith(".") and (*path.parts[-3:-1], path.name.split(".")[0]) not in kept:
                _remove(path)
        for path in (*(results / folder).glob("*/*/"), *(results / folder).glob("*/")):
            # The folder for "no round" is empty on purpose.
            if path.name != NONE and not any(path.iterdir()):
                path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
