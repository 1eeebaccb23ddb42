"""Folds: no recording in two of them, every species spread evenly."""

import numpy as np
import pandas as pd
import pytest

from dawnchorus.errors import InputError
from dawnchorus.folds import assign_folds, count_rows


def annotations(n_rows: int, n_recordings: int, n_species: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = np.array([f"r{number:04d}" for number in range(n_recordings)])
    return pd.DataFrame({"recording_id": rng.choice(names, n_rows), "species_id": rng.integers(0, n_species, n_rows)})


@pytest.mark.parametrize("seed", range(5))
def test_each_species_is_spread_within_one_row(seed: int) -> None:
    tp = annotations(400, 360, 12, seed)
    fp = annotations(1500, 900, 12, seed + 100)
    folds = assign_folds(tp, fp, 5, seed)
    assert set(folds.index) == set(tp.recording_id) | set(fp.recording_id)
    assert folds.index.is_unique
    counts = pd.crosstab(tp.species_id, tp.recording_id.map(folds))
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    false = pd.crosstab(fp.species_id, fp.recording_id.map(folds))
    assert (false.max(axis=1) - false.min(axis=1)).max() <= 0.2 * false.sum(axis=1).max()


def test_the_order_of_rows_does_not_matter_but_the_seed_does() -> None:
    tp, fp = annotations(60, 50, 4, 1), annotations(60, 50, 4, 2)
    folds = assign_folds(tp, fp, 3, 7)
    pd.testing.assert_series_equal(folds, assign_folds(tp[::-1], fp[::-1], 3, 7))
    assert not folds.equals(assign_folds(tp, fp, 3, 8))


def test_a_fold_without_rows_is_refused() -> None:
    tp = pd.DataFrame({"recording_id": ["a", "b"], "species_id": [0, 1]})
    with pytest.raises(InputError, match=r"fold 2 would have no TP rows: 2 recordings .* 3 folds; shorten `folds`"):
        assign_folds(tp, tp[:0], 3, 1)


def test_rows_are_counted_by_species_and_fold() -> None:
    tp = pd.DataFrame({"recording_id": ["a", "a", "b"], "species_id": [0, 1, 1]})
    fp = pd.DataFrame({"recording_id": ["c"], "species_id": [2]})
    table = count_rows(tp, fp, pd.Series({"a": 0, "b": 1, "c": 0}), n_species=4)
    assert table.to_dict("list") == {
        "species": ["s0", "s1", "s2", "s3"],
        "tp_rows": [1, 2, 0, 0],
        "fp_rows": [0, 0, 1, 0],
        "tp_rows_0": [1, 1, 0, 0],
        "tp_rows_1": [0, 1, 0, 0],
    }
