"""Annotations: boxes that an expert labelled as present, absent or uncertain, and the table `data/annotations.csv`."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers

COLUMNS = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
LABELS = ["present", "absent", "uncertain"]
BOXES = ["recording_id", "species_id", "t_min", "t_max", "f_min", "f_max", "is_tp"]
# These columns identify a box. Among scored boxes, duplicates count once.
BOX_COLUMNS = ["recording_id", "species_id", "t_min", "t_max", "is_tp"]


def write_annotations(path: Path, annotations: pd.DataFrame) -> None:
    """Write a table with the columns `COLUMNS` as `data/annotations.csv`: present boxes first, times unrounded."""
    order = annotations.label.map(LABELS.index).argsort(kind="stable")
    annotations.iloc[order][COLUMNS].to_csv(path, index=False)


def read_annotations(path: Path, species: Sequence[str]) -> pd.DataFrame:
    """Read the present and absent boxes of `data/annotations.csv`.

    Args:
        path: the CSV file.
        species: the codes of all species.

    Returns:
        One row per box: recording_id; species_id, the index of its code in `species`; t_min, t_max (s); f_min, f_max
        (Hz; 0 and infinity where the cell is empty); is_tp, True if the label is present and False if it is absent.

    Raises:
        InputError: the table is missing or damaged, or a cell has an invalid value.
    """
    table = _read(path, species)
    return table[table.label != "uncertain"].reset_index(drop=True)[BOXES]


def read_uncertain(path: Path, species: Sequence[str]) -> pd.DataFrame:
    """Read the uncertain boxes of `data/annotations.csv`, of which an expert could not say whether the species calls.

    Args:
        path: the CSV file.
        species: the codes of all species.

    Returns:
        The columns of `read_annotations`; is_tp is False.

    Raises:
        InputError: as in `read_annotations`.
    """
    table = _read(path, species)
    return table[table.label == "uncertain"].reset_index(drop=True)[BOXES]


def _read(path: Path, species: Sequence[str]) -> pd.DataFrame:
    table = read_table(path, COLUMNS, numbers=["t_min", "t_max", "f_min", "f_max"])[COLUMNS].copy()
    refuse_rows(path, table, "species", ~table.species.isin(species), "a species from data/species.csv")
    refuse_rows(path, table, "label", ~table.label.isin(LABELS), " or ".join(LABELS))
    for column in ("t_min", "t_max"):
        table[column] = to_numbers(path, table, column)
    for column, unknown in (("f_min", 0.0), ("f_max", np.inf)):
        is_known = table[column] != ""
        table.loc[is_known, column] = to_numbers(path, table[is_known], column)
        table[column] = table[column].where(is_known, unknown).astype(float)
    table["species_id"] = table.species.map({code: number for number, code in enumerate(species)}).astype(int)
    table["is_tp"] = table.label == "present"
    return table


@dataclass(frozen=True)
class Annotations:
    """Boxes as arrays, one row per box.

    Attributes:
        recording_ids: shape [Rows], text.
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz), shape [Rows, 4].
        species_ids: shape [Rows].
        is_tp: True for present and False for absent, shape [Rows].
    """

    recording_ids: NDArray[np.str_]
    boxes: NDArray[np.float64]
    species_ids: NDArray[np.int64]
    is_tp: NDArray[np.bool_]

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> "Annotations":
        """Convert a table from `read_annotations`."""
        return cls(
            table.recording_id.to_numpy(str),
            table[["t_min", "f_min", "t_max", "f_max"]].to_numpy(float),
            table.species_id.to_numpy(),
            table.is_tp.to_numpy(),
        )

    def __len__(self) -> int:
        return len(self.is_tp)

    def joined(self, others: "Annotations") -> "Annotations":
        """These rows, followed by others."""
        return Annotations(
            np.concatenate([self.recording_ids, others.recording_ids]),
            np.concatenate([self.boxes, others.boxes]),
            np.concatenate([self.species_ids, others.species_ids]),
            np.concatenate([self.is_tp, others.is_tp]),
        )

    def of_recordings(self, recording_ids: set[str]) -> "Annotations":
        """Select the rows of the given recordings."""
        keep = np.isin(self.recording_ids, list(recording_ids))
        return Annotations(self.recording_ids[keep], self.boxes[keep], self.species_ids[keep], self.is_tp[keep])


def labelled_boxes(annotations: pd.DataFrame, recording_ids: Container[str]) -> pd.DataFrame:
    """Select the boxes of the given recordings, without duplicates.

    Args:
        annotations: table from `read_annotations`.
        recording_ids: the recordings to select.

    Returns:
        One row per box with the columns `BOX_COLUMNS` (times in s; is_tp is bool), in table order.
    """
    wanted = [name in recording_ids for name in annotations.recording_id]
    return annotations.loc[wanted, BOX_COLUMNS].drop_duplicates(ignore_index=True)
