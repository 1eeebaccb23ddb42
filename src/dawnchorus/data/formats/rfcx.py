"""The layout of the RFCx competition: `train_tp.csv`, `train_fp.csv` and a folder for each split."""

from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

ANNOTATION_COLUMNS = ["recording_id", "species_id", "songtype_id", "t_min", "f_min", "t_max", "f_max"]


# Nothing here asks for the type of a song, so a table of one's own may do without it.
REQUIRED_COLUMNS = [column for column in ANNOTATION_COLUMNS if column != "songtype_id"]


def read_annotations(
    path: Path, n_species: int, group: str | None = None, *, may_be_empty: bool = False
) -> pd.DataFrame:
    """Read a table of TP or FP boxes.

    Args:
        path: a CSV file with `REQUIRED_COLUMNS` (s and Hz).
        n_species: species ids must be below it.
        group: a column of one's own that it must have too.
        may_be_empty: whether a table without rows is good.

    Returns:
        The required columns: recording_id as text, species_id as int, the rest as float; the column `group` is
        text. The index is the line in the file less 2.

    Raises:
        InputError: the file is missing or empty, lacks a column, or has an impossible row.
    """
    columns = REQUIRED_COLUMNS if group is None else [*REQUIRED_COLUMNS, group]
    found = read_table(path, columns, may_be_empty, numbers=REQUIRED_COLUMNS[1:])
    table = found[REQUIRED_COLUMNS].copy()
    if group is not None:
        table[group] = found[group]
        refuse_rows(path, table, group, table[group] == "", "a name, for split.group in params.yaml says this column")
    refuse_rows(path, table, "recording_id", table.recording_id == "", "a recording's name")
    for column in REQUIRED_COLUMNS[1:]:
        table[column] = to_numbers(path, table, column)
    wrong_species = (table.species_id % 1 != 0) | ~table.species_id.between(0, n_species - 1)
    refuse_rows(path, table, "species_id", wrong_species, f"a whole number from 0 to {n_species - 1}")
    table["species_id"] = table.species_id.astype(int)
    refuse_rows(path, table, "t_min", table.t_min < 0, "seconds from the recording's beginning, 0 or more")
    refuse_rows(path, table, "t_max", table.t_max <= table.t_min, "a time after the row's t_min")
    refuse_rows(path, table, "f_max", table.f_max < table.f_min, "a frequency not below the row's f_min")
    return table


def read_both_annotations(folder: Path, n_species: int, group: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read `train_tp.csv` and `train_fp.csv`, of which the second may have no rows; as `read_annotations`."""
    return (
        read_annotations(folder / "train_tp.csv", n_species, group),
        read_annotations(folder / "train_fp.csv", n_species, group, may_be_empty=True),
    )


def recording_groups(tables: dict[Path, pd.DataFrame], column: str) -> pd.Series:
    """The group of each recording, indexed by recording_id.

    Args:
        tables: annotations by their file.
        column: the one that holds the group.

    Raises:
        InputError: a recording stands in two groups.
    """
    groups: dict[str, str] = {}
    for path, table in tables.items():
        first = [groups.setdefault(*row) for row in zip(table.recording_id, table[column], strict=True)]
        differs = np.flatnonzero(table[column] != first)
        if len(differs):
            expected = f"{first[differs[0]]!r} as in an earlier row of the same recording"
            refuse_rows(path, table.iloc[differs], column, np.ones(len(differs), bool), expected)
    return pd.Series(groups)


def read_truth(path: Path, columns: list[str], recording_ids: list[str]) -> pd.DataFrame:
    """Read a truth table: recording_id and a 0 or 1 for each species.

    Returns:
        The rows of `recording_ids`, in this order.

    Raises:
        InputError: as in `read_scores`, for a cell that is neither 0 nor 1, and where a recording has no row.
    """
    truth = read_scores(path, columns)
    for column in columns:
        refuse_rows(path, truth.reset_index(), column, ~truth[column].isin([0, 1]).to_numpy(), "0 or 1")
    missing = [name for name in recording_ids if name not in truth.index]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} test recordings, for example {missing[0]!r}; add them")
    truth = truth.loc[recording_ids]
    if not truth.to_numpy().any():
        raise InputError(f"{path}: no species calls in any test recording; without one there is nothing to evaluate")
    return truth
