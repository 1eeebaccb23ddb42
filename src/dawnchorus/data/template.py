"""The recordings that a competition's submission lists, and the table `data/template.csv`."""

from pathlib import Path

import pandas as pd

from dawnchorus.data.tables import read_table


def write_template(path: Path, template: dict[str, str]) -> None:
    """Write `data/template.csv`: the recordings of a submission, in order, and the names that it gives them."""
    pd.DataFrame({"recording_id": template.keys(), "listed_as": template.values()}).to_csv(path, index=False)


def read_template(path: Path) -> dict[str, str]:
    """Read `data/template.csv`: the name in a submission by recording_id, in order; empty without a competition."""
    table = read_table(path, ["recording_id", "listed_as"], may_be_empty=True)
    return dict(zip(table.recording_id, table.listed_as, strict=True))
