"""Predictions and scores of models that an earlier experiment left behind."""

import shutil
from collections.abc import Sequence
from pathlib import Path


def prune(folder: Path, backbones: Sequence[str], folds: Sequence[int]) -> None:
    """Remove what models have left that the experiment does not have.

    DVC takes one hash of the whole folder, so with other models' files in it an experiment would look new. DVC's cache
    keeps what is removed here and brings it back on demand.

    Args:
        folder: holds `<backbone>/<fold>/`; it may be missing.
        backbones: names of the experiment.
        folds: its numbers.
    """
    wanted = {(backbone, str(fold)) for backbone in backbones for fold in folds}
    for path in sorted(folder.glob("*/*/")):
        if (path.parent.name, path.name) not in wanted:
            shutil.rmtree(path)
    for path in sorted(folder.glob("*/")):
        if path.name not in backbones:
            shutil.rmtree(path)
