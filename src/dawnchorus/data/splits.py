"""Parts of a data set: annotated recordings, test recordings, and unlabelled recordings with their folds.

A stage that reads a table in `data/splits/` or `data/sounds/` reruns only if that part of the data set changes.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.complete import Completeness
from dawnchorus.data.folds import together
from dawnchorus.seeding import generator

TRAIN, TEST, UNLABELLED = "train", "test", "unlabelled"


def annotated_recordings(recordings: pd.DataFrame, annotations: pd.DataFrame, complete: Completeness) -> pd.DataFrame:
    """Select the training recordings that have an annotation or are annotated completely.

    Args:
        recordings: table from `recordings.read_recordings`.
        annotations: table from `annotations.read_annotations`.
        complete: table from `complete.read_complete`.
    """
    return recordings[(recordings.split == TRAIN) & _is_annotated(recordings, annotations, complete)]


def _is_annotated(recordings: pd.DataFrame, annotations: pd.DataFrame, complete: Completeness) -> NDArray[np.bool_]:
    return recordings.index.isin(annotations.recording_id) | recordings.index.isin(complete.recordings)


def test_recordings(recordings: pd.DataFrame) -> pd.DataFrame:
    """Select the test recordings."""
    return recordings[recordings.split == TEST]


def unlabelled_recordings(recordings: pd.DataFrame, annotations: pd.DataFrame, complete: Completeness) -> pd.DataFrame:
    """Select the usable training recordings that are not annotated, except copies of test recordings."""
    known = _is_annotated(recordings, annotations, complete)
    found = recordings[(recordings.split == TRAIN) & ~known & recordings.usable]
    return found[~found.digest.isin(test_recordings(recordings).digest)]


def units(recordings: pd.DataFrame) -> pd.Series:
    """Group recordings into units that stay in one fold: those of one group, and those with the same sound.

    Args:
        recordings: usable training recordings.

    Returns:
        The first recording of each recording's unit, indexed by recording_id.
    """
    own = recordings.index.to_series()
    groups = recordings.group.where(recordings.group != "", "\0" + own)
    return together(recordings.digest, groups)


def folds_of_unlabelled(
    annotated: pd.DataFrame, unlabelled: pd.DataFrame, folds: pd.Series, n_folds: int, seed: int
) -> pd.Series:
    """Assign unlabelled recordings to folds. Pseudo-labels of a recording come from models not trained on its fold.

    An unlabelled recording that shares a unit with annotated recordings goes to their fold. The other units are
    distributed at random, each by its own name, so that a further recording moves no other.

    Args:
        annotated: usable annotated recordings.
        unlabelled: unlabelled recordings.
        folds: the fold of each annotated recording, indexed by recording_id.
        n_folds: number of folds.
        seed: seed of the random draws.

    Returns:
        The fold of each unlabelled recording, an int series indexed by recording_id.
    """
    unit = units(pd.concat([annotated, unlabelled]))
    of_annotated = dict(zip(unit[folds.index], folds, strict=True))
    free = sorted(set(unit[unlabelled.index]) - set(of_annotated))
    # Of each unit's name alone, so that one recording more moves no other.
    dealt = {name: int(generator(seed, "unlabelled fold", name).integers(n_folds)) for name in free}
    return unit[unlabelled.index].map(of_annotated | dealt).astype(int).rename("fold")
