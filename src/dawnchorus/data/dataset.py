"""A data set as its adapter reads it, before its recordings are checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dawnchorus.data.annotations import COLUMNS
from dawnchorus.errors import InputError

SPLITS = ("train", "test")


def _no_labels() -> pd.DataFrame:
    return pd.DataFrame(columns=[*COLUMNS, "annotator", "table", "line"])


def _none_complete() -> pd.DataFrame:
    return pd.DataFrame(columns=["split", "recording_id", "species"])


@dataclass(frozen=True)
class Dataset:
    """The contents of a data set's folder, as an adapter in `formats/` reads them.

    Attributes:
        root: the folder.
        files: the audio files by split ("train", "test") and recording_id.
        annotations: boxes in training recordings, with the columns `annotations.COLUMNS`, `annotator`, who gave the
            label ("" if nobody knows), and `table` and `line`, the file and the number of the line that each box is
            from, or a text that names its place in a file without lines. The file's path is relative to `root`, or
            begins with the name of the folder `labels`.
        species: species codes, in the column order of all score tables.
        groups: the group of each recording that has one, indexed by recording_id.
        ground_truth: 0, 1 or NaN (unknown) for each species (columns), indexed by recording_id; no rows if there is no
            ground truth.
        template: the recordings that a competition's submission must list, in order, with the names that it gives them;
            empty without a competition.
        remarks: what was not read as it is written, or looks wrong, a text for each.
        labels: the other folder with label files, if there is one.
        test_annotations: boxes in test recordings, with the columns of `annotations`.
        complete: recordings that are annotated completely: split, recording_id, and species, which is empty where a
            recording is complete for all species.
    """

    root: Path
    files: dict[str, dict[str, Path]]
    annotations: pd.DataFrame
    species: list[str]
    groups: pd.Series
    ground_truth: pd.DataFrame
    template: dict[str, str]
    remarks: list[str]
    labels: Path | None = None
    test_annotations: pd.DataFrame = field(default_factory=_no_labels)
    complete: pd.DataFrame = field(default_factory=_none_complete)

    @property
    def annotated(self) -> set[str]:
        """The training recordings that have a label or are annotated completely."""
        return {*self.annotations.recording_id, *self.complete.recording_id[self.complete.split == "train"]}

    def path_of(self, table: str) -> Path:
        """The file that the column `table` of the annotations names."""
        in_labels = None if self.labels is None else self.labels.parent / table
        return in_labels if in_labels is not None and in_labels.exists() else self.root / table


def find_table(choice: str, folders: Sequence[Path], key: str) -> Path:
    """Find a table that a parameter names.

    Args:
        choice: its path, relative to one of `folders`.
        folders: data.root, and data.labels if there is one.
        key: the parameter, for the message.

    Returns:
        Its path, in the first folder if it is missing.

    Raises:
        InputError: it is in both folders.
    """
    paths = [folder / choice for folder in folders if (folder / choice).exists()]
    if len(paths) > 1:
        raise InputError(f"{key} in params.yaml: found {' and '.join(map(str, paths))}, expected one table; remove one")
    return paths[0] if paths else folders[0] / choice
