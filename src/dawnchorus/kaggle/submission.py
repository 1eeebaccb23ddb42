"""Submissions to a competition: scores of the recordings in its template, in template order."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.data.score_tables import write_scores
from dawnchorus.data.tables import read_table


def read_template(path: Path) -> list[str]:
    """Read `data/template.csv`: the recordings of a submission, in order; empty without a competition."""
    return list(read_table(path, ["recording_id"], may_be_empty=True).recording_id)


def write_submissions(folder: Path, template: Sequence[str], scores: dict[str, pd.DataFrame]) -> None:
    """Write one submission per score table. Nothing is written if the template is empty.

    Args:
        folder: an empty folder; each submission is written to `<name>.csv` in it.
        template: the recordings that a submission lists; recordings without scores are omitted.
        scores: score tables by name, indexed by recording_id, with one column per species.
    """
    for name, table in scores.items() if template else ():
        listed = [recording_id for recording_id in template if recording_id in table.index]
        write_scores(folder / f"{name}.csv", listed, table.loc[listed].to_numpy(), list(table.columns))
