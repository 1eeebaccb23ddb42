"""Annotations: boxes that an expert heard, present or absent, and `data/annotations.csv`."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers

COLUMNS = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
LABELS = ["present", "absent"]
# A box is known by these; one that is there twice counts once.
BOX_COLUMNS = ["recording_id", "species_id", "t_min", "t_max", "is_tp"]


def write_annotations(path: Path, annotations: pd.DataFrame) -> None:
    """Write `data/annotations.csv` from a table with the columns `COLUMNS`: present boxes first, times unrounded."""
    order = annotations.label.map(LABELS.index).argsort(kind="stable")
    annotations.iloc[order][COLUMNS].to_csv(path, index=False)


def read_annotations(path: Path, species: Sequence[str]) -> pd.DataFrame:
    """Read `data/annotations.csv`.

    Args:
        path: of the table.
        species: the codes of all species.

    Returns:
        recording_id; species_id, its code's number in `species`; t_min, t_max (s), f_min, f_max (Hz; 0 and infinity
        where the table has none); is_tp, whether the box is present (else absent).

    Raises:
        InputError: the table is missing or damaged, or a cell is not what it should be.
    """
    table = read_table(path, COLUMNS, numbers=["t_min", "t_max", "f_min", "f_max"])[COLUMNS].copy()
    refuse_rows(path, table, "species", ~table.species.isin(species), "a species of data/species.csv")
    refuse_rows(path, table, "label", ~table.label.isin(LABELS), " or ".join(LABELS))
    for column in ("t_min", "t_max"):
        table[column] = to_numbers(path, table, column)
    for column, unknown in (("f_min", 0.0), ("f_max", np.inf)):
        is_known = table[column] != ""
        table.loc[is_known, column] = to_numbers(path, table[is_known], column)
        table[column] = table[column].where(is_known, unknown).astype(float)
    table["species_id"] = table.species.map({code: number for number, code in enumerate(species)}).astype(int)
    table["is_tp"] = table.label == "present"
    return table[["recording_id", "species_id", "t_min", "t_max", "f_min", "f_max", "is_tp"]]


@dataclass(frozen=True)
class Annotations:
    """Boxes as arrays, a row each.

    Attributes:
        recording_ids: shape [Rows], text.
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz), shape [Rows, 4].
        species_ids: shape [Rows].
        is_tp: whether each is present (else absent), shape [Rows].
    """

    recording_ids: NDArray[np.str_]
    boxes: NDArray[np.float64]
    species_ids: NDArray[np.int64]
    is_tp: NDArray[np.bool_]

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> "Annotations":
        """The rows of a table that `read_annotations` gives."""
        return cls(
            table.recording_id.to_numpy(str),
            table[["t_min", "f_min", "t_max", "f_max"]].to_numpy(float),
            table.species_id.to_numpy(),
            table.is_tp.to_numpy(),
        )

    def __len__(self) -> int:
        return len(self.is_tp)

    def of_recordings(self, recording_ids: set[str]) -> "Annotations":
        """The rows of some recordings."""
        keep = np.isin(self.recording_ids, list(recording_ids))
        return Annotations(self.recording_ids[keep], self.boxes[keep], self.species_ids[keep], self.is_tp[keep])


def labelled_boxes(annotations: pd.DataFrame, recording_ids: Container[str]) -> pd.DataFrame:
    """The boxes of some recordings.

    Args:
        annotations: as `read_annotations` gives them.
        recording_ids: names of the recordings.

    Returns:
        A row for each box with the columns `BOX_COLUMNS` (s; is_tp is bool), in the order of the table.
    """
    wanted = [name in recording_ids for name in annotations.recording_id]
    return annotations.loc[wanted, BOX_COLUMNS].drop_duplicates(ignore_index=True)
