"""Tables with one row per recording and one column per species: scores, ground truth and templates."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError

# Significant digits of clip scores. Nine digits are enough to restore every float32 exactly.
DIGITS = 9
# Significant digits of prevalence-corrected scores, which can be closer to 1 than a float32 allows. A float64
# distinguishes all numbers of 15 digits.
CORRECTED_DIGITS = 15


def read_scores(
    path: Path, columns: list[str] | None = None, may_be_empty: bool = False, cells_may_be_empty: bool = False
) -> pd.DataFrame:
    """Read a table of numbers by recording and species, indexed by recording_id; otherwise as `read_score_rows`."""
    return read_score_rows(path, columns, may_be_empty, cells_may_be_empty).set_index("recording_id")


def read_score_rows(
    path: Path, columns: list[str] | None = None, may_be_empty: bool = False, cells_may_be_empty: bool = False
) -> pd.DataFrame:
    """Read the rows of a table of numbers by recording and species.

    Args:
        path: a CSV file with the column recording_id and one column per species.
        columns: the required species columns, in this order; by default any are allowed.
        may_be_empty: whether to accept a table without rows.
        cells_may_be_empty: whether a number may be missing, which gives NaN.

    Returns:
        The column recording_id and the species columns as floats, in the file's order, indexed by the number of each
        row's line.

    Raises:
        InputError: the file is missing or empty, lacks a column, repeats a recording, or has a non-numeric cell.
    """
    table = read_table(path, ["recording_id", *(columns or [])], may_be_empty, numbers=columns)
    found = [column for column in table.columns if column != "recording_id"]
    expected = columns or found
    if found != expected or not found:
        wanted = f"{expected[0]} to {expected[-1]} in this order" if expected else "a column for each species"
        raise InputError(f"{path}: found the columns {', '.join(table.columns)}; expected recording_id and {wanted}")
    refuse_rows(path, table, "recording_id", table.recording_id == "", "a recording id")
    refuse_rows(path, table, "recording_id", table.recording_id.duplicated(), "each recording once")
    for column in expected:
        table[column] = (to_numbers_or_nan if cells_may_be_empty else to_numbers)(path, table, column)
    return table


def round_scores(scores: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Round scores to significant digits, at most 15, so that metrics see the same ties as the file's readers."""
    # Format as text: multiplication by a power of ten would round some halves the wrong way.
    values = [float(f"{score:.{digits}g}") for score in scores.to_numpy(float).ravel().tolist()]
    return pd.DataFrame(np.reshape(values, scores.shape), scores.index, scores.columns)


def write_scores(
    path: Path, recording_ids: Sequence[str], scores: NDArray[np.floating], species: Sequence[str]
) -> None:
    """Write scores of shape [Recordings, Species] as a CSV file: recording_id, and one column per species code.

    Reading the file restores every float32 exactly, and every float64 that `round_scores` returned.
    """
    table = pd.DataFrame(scores, columns=list(species))
    table.insert(0, "recording_id", list(recording_ids))
    digits = DIGITS if scores.dtype == np.float32 else CORRECTED_DIGITS
    table.to_csv(path, index=False, float_format=f"%.{digits}g")
