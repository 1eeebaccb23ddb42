"""`data/folds.csv`, apart from the splitting, so that a change there retrains nothing by itself."""

from pathlib import Path

import pandas as pd

from dawnchorus.config.section import MOST
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers


def read_folds(path: Path) -> pd.Series:
    """Read `data/folds.csv`: the fold of each recording, as an int series indexed by recording_id.

    Where `split.method` lets a recording stand in several folds, it has a row for each; -1 is no fold's validation.
    """
    table = read_table(path, ["recording_id", "fold"])
    refuse_rows(path, table, "recording_id", table.recording_id == "", "a recording's name")
    table["fold"] = to_numbers(path, table, "fold")
    refuse_rows(path, table, "fold", (table.fold % 1 != 0) | ~table.fold.between(-1, MOST), "a fold's number, or -1")
    return table.fold.astype(int).set_axis(table.recording_id)
