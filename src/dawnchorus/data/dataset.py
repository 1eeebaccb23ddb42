"""A data set as its adapter reads it, before its recordings are checked."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Dataset:
    """The contents of a data set's folder, as an adapter in `formats/` reads them.

    Attributes:
        root: the folder.
        files: the audio files by split ("train", "test") and recording_id.
        annotations: boxes in training recordings, with the columns `annotations.COLUMNS`, `annotator`, who gave the
            label ("" if nobody knows), and `table` and `line`, the file name and the number of the line that each box
            is from, or a text that names its place in a file without lines.
        species: species codes, in the column order of all score tables.
        groups: the group of each recording that has one, indexed by recording_id.
        ground_truth: 0 or 1 for each species (columns), indexed by recording_id; no rows if there is no ground truth.
        template: the recordings that a competition's submission must list, in order, with the names that it gives them;
            empty without a competition.
        remarks: what was not read as it is written, or looks wrong, a text for each.
    """

    root: Path
    files: dict[str, dict[str, Path]]
    annotations: pd.DataFrame
    species: list[str]
    groups: pd.Series
    ground_truth: pd.DataFrame
    template: dict[str, str]
    remarks: list[str]
