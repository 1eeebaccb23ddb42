"""The competition's own tables, where RFCX_DATA names a folder that holds them."""

import os
from pathlib import Path

import pandas as pd
import pytest

from dawnchorus.folds import assign_folds
from dawnchorus.tables import read_annotations, read_scores


@pytest.fixture
def folder() -> Path:
    """The competition's folder."""
    if "RFCX_DATA" not in os.environ:
        pytest.skip("RFCX_DATA does not name a folder with the competition's data")
    return Path(os.environ["RFCX_DATA"])


def test_all_rows_are_read_and_each_species_spread_within_one(folder: Path) -> None:
    sample = read_scores(folder / "sample_submission.csv")
    assert sample.shape == (1992, 24)
    tp, fp = (read_annotations(folder / f"train_{kind}.csv", 24) for kind in ("tp", "fp"))
    assert (len(tp), len(fp)) == (1216, 7781)
    folds = assign_folds(tp, fp, 5, seed=1)
    counts = pd.crosstab(tp.species_id, tp.recording_id.map(folds))
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    assert counts.to_numpy().sum() == 1216
