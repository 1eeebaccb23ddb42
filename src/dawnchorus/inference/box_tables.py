"""Tables of box scores (`boxes.csv`)."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.section import MOST
from dawnchorus.data.annotations import BOX_COLUMNS
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers


def write_boxes(path: Path, boxes: pd.DataFrame, scores: NDArray[np.floating]) -> None:
    """Write box scores as a CSV file with the columns `BOX_COLUMNS` and score.

    Args:
        path: file to write.
        boxes: boxes with the columns `BOX_COLUMNS`. In the file, is_tp is 1 for a TP box and 0 for an FP box.
        scores: score of each box, shape [Boxes].
    """
    # Times keep all their digits, so that boxes remain distinct.
    table = boxes.assign(is_tp=boxes.is_tp.astype(int), score=[f"{score:.9g}" for score in scores])
    table.to_csv(path, index=False)


def read_boxes(path: Path) -> pd.DataFrame:
    """Read a file from `write_boxes`. It may have no rows.

    Returns:
        A table with the float column score, indexed by `BOX_COLUMNS`.

    Raises:
        InputError: the file is missing or lacks a column, a cell is not a valid value of its column, or a box is
            repeated.
    """
    columns = [*BOX_COLUMNS, "score"]
    table = read_table(path, columns, may_be_empty=True, numbers=columns[1:])[columns]
    for column in columns[1:]:
        table[column] = to_numbers(path, table, column)
    wrong_species = (table.species_id % 1 != 0) | ~table.species_id.between(0, MOST)
    refuse_rows(path, table, "species_id", wrong_species, "a whole number, 0 or more")
    refuse_rows(path, table, "is_tp", ~table.is_tp.isin([0, 1]), "0 or 1")
    table = table.astype({"species_id": int, "is_tp": bool})
    refuse_rows(path, table, "recording_id", table.duplicated(BOX_COLUMNS), "each box once")
    return table.set_index(BOX_COLUMNS)
