"""Which recordings are used for what: annotated ones, test ones, and unlabelled ones with a fold of their own.

A stage that reads one of the tables in `data/splits/` runs again only where that part of the data set changes.
"""

import numpy as np
import pandas as pd

from dawnchorus.data.folds import together
from dawnchorus.seeding import generator

TRAIN, TEST, UNLABELLED = "train", "test", "unlabelled"


def annotated_recordings(recordings: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """The rows of training recordings that have an annotation.

    Args:
        recordings: as `recordings.read_recordings` gives them.
        annotations: as `annotations.read_annotations` gives them.
    """
    return recordings[(recordings.split == TRAIN) & recordings.index.isin(annotations.recording_id)]


def test_recordings(recordings: pd.DataFrame) -> pd.DataFrame:
    """The rows of test recordings."""
    return recordings[recordings.split == TEST]


def unlabelled_recordings(recordings: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """The rows of usable training recordings without an annotation, but for copies of test recordings."""
    known = recordings.index.isin(annotations.recording_id)
    found = recordings[(recordings.split == TRAIN) & ~known & recordings.usable]
    return found[~found.digest.isin(test_recordings(recordings).digest)]


def units(recordings: pd.DataFrame) -> pd.Series:
    """What stays in one fold: recordings of one group, and recordings with the same sound.

    Args:
        recordings: usable training recordings.

    Returns:
        The first recording of each one's unit, indexed by recording_id.
    """
    own = recordings.index.to_series()
    groups = recordings.group.where(recordings.group != "", "\0" + own)
    return together(recordings.digest, groups)


def folds_of_unlabelled(
    annotated: pd.DataFrame, unlabelled: pd.DataFrame, folds: pd.Series, n_folds: int, seed: int
) -> pd.Series:
    """A fold for each unlabelled recording, so that models that leave it out can give it pseudo-labels.

    A recording of an annotated one's unit goes into its fold; the other units are dealt out evenly at random.

    Args:
        annotated: usable annotated recordings.
        unlabelled: unlabelled ones.
        folds: the fold of each annotated recording, indexed by recording_id.
        n_folds: number of folds.
        seed: of the order in which units are dealt out.

    Returns:
        An int series indexed by recording_id.
    """
    unit = units(pd.concat([annotated, unlabelled]))
    of_annotated = dict(zip(unit[folds.index], folds, strict=True))
    free = sorted(set(unit[unlabelled.index]) - set(of_annotated))
    order = generator(seed, "unlabelled folds").permutation(len(free))
    dealt = dict(zip(free, (np.argsort(order) % n_folds).tolist(), strict=True))
    return unit[unlabelled.index].map(of_annotated | dealt).astype(int).rename("fold")
