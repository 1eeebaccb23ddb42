"""The table `data/folds.csv`, separate from `folds` so that a change to the splitting code alone retrains nothing."""

from pathlib import Path

import pandas as pd

from dawnchorus.config.section import MOST
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers


def read_folds(path: Path) -> pd.Series:
    """Read `data/folds.csv`: the fold of each recording, as an int series indexed by recording_id.

    If `split.method` puts a recording into several folds, it has one row per fold. A recording in fold -1 is never
    validated.
    """
    table = read_table(path, ["recording_id", "fold"])
    refuse_rows(path, table, "recording_id", table.recording_id == "", "a recording id")
    table["fold"] = to_numbers(path, table, "fold")
    refuse_rows(path, table, "fold", (table.fold % 1 != 0) | ~table.fold.between(-1, MOST), "a fold number, or -1")
    return table.fold.astype(int).set_axis(table.recording_id)
