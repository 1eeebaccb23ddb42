"""The tables in `data/sounds/`: the files of a part's usable recordings, for stages that need only their sound.

They have no times, groups or problems, so new ones rerun none of these stages.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.data.tables import read_table

# Files with the same sound have the same `digest`.
COLUMNS = ["recording_id", "file", "digest"]


def read_sounds(path: Path, more: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of `data/sounds/`.

    Args:
        path: the CSV file.
        more: additional text columns that the table must have.

    Returns:
        Text columns `file`, relative to the data set's folder, `digest` and `more`, indexed by recording_id.

    Raises:
        InputError: the table is missing or damaged.
    """
    columns = [*COLUMNS, *more]
    remedy = "`snakemake` and `dvc repro` make it; if a run has failed, mend the cause and repeat it"
    return read_table(path, columns, may_be_empty=True, named_by=remedy)[columns].set_index("recording_id")


def write_sounds(path: Path, recordings: pd.DataFrame, more: Sequence[str] = ()) -> None:
    """Write the usable ones of recordings from `recordings.read_recordings`, with columns `more`."""
    recordings.loc[recordings.usable, [*COLUMNS[1:], *more]].to_csv(path, index_label="recording_id")
