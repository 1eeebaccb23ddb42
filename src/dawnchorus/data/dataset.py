"""A data set as its adapter reads it, before its recordings are looked at."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Dataset:
    """What an adapter in `formats/` finds in a folder.

    Attributes:
        root: the folder.
        files: the audio files by split ("train", "test") and recording_id.
        annotations: boxes in training recordings, with the columns `annotations.COLUMNS` and `source`, where each comes
            from ("train_tp.csv line 3").
        species: codes, in the order of the columns of all scores.
        groups: the group of each recording that has one, indexed by recording_id.
        ground_truth: 0 or 1 for each species (columns), indexed by recording_id; no rows where it is not known.
        template: the recordings that a competition's submission asks for, in its order; empty where there is none.
    """

    root: Path
    files: dict[str, dict[str, Path]]
    annotations: pd.DataFrame
    species: list[str]
    groups: pd.Series
    ground_truth: pd.DataFrame
    template: list[str]
