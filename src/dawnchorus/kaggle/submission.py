"""Submissions to a competition: scores in the order and with the recordings of its template."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.data.score_tables import write_scores
from dawnchorus.data.tables import read_table


def read_template(path: Path) -> list[str]:
    """Read `data/template.csv`: the recordings of a submission, in its order; none where there is no competition."""
    return list(read_table(path, ["recording_id"], may_be_empty=True).recording_id)


def write_submissions(folder: Path, template: Sequence[str], scores: dict[str, pd.DataFrame]) -> None:
    """Write a submission for each table of scores, and none where the template is empty.

    Args:
        folder: gets `<name>.csv`; it is empty.
        template: the recordings that a submission lists; those without scores are left out.
        scores: by name, indexed by recording_id, a column for each species.
    """
    for name, table in scores.items() if template else ():
        listed = [recording_id for recording_id in template if recording_id in table.index]
        write_scores(folder / f"{name}.csv", listed, table.loc[listed].to_numpy(), list(table.columns))
