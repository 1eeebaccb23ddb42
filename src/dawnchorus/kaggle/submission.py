"""Submissions to a competition: scores of the recordings in its template, in template order."""

from pathlib import Path

import pandas as pd

from dawnchorus.data.score_tables import write_scores


def write_submissions(folder: Path, template: dict[str, str], scores: dict[str, pd.DataFrame]) -> None:
    """Write one submission per score table. Nothing is written if the template is empty.

    Args:
        folder: an empty folder; each submission is written to `<name>.csv` in it.
        template: the recordings that a submission lists, with the names that it gives them; recordings without scores
            are omitted.
        scores: score tables by name, indexed by recording_id, with one column per species.
    """
    for name, table in scores.items() if template else ():
        listed = [recording_id for recording_id in template if recording_id in table.index]
        names = [template[recording_id] for recording_id in listed]
        write_scores(folder / f"{name}.csv", names, table.loc[listed].to_numpy(), list(table.columns))
