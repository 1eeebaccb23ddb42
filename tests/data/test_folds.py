"""Folds: no recording is in two folds, and every species is spread evenly."""

import numpy as np
import pandas as pd
import pytest

from dawnchorus.data.folds import count_rows, fold_report, notebook_split, rare_species, stratified_split, together
from dawnchorus.errors import InputError


def annotations(n_rows: int, n_recordings: int, n_species: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = np.array([f"r{number:04d}" for number in range(n_recordings)])
    return pd.DataFrame({"recording_id": rng.choice(names, n_rows), "species_id": rng.integers(0, n_species, n_rows)})


def test_species_in_fewer_recordings_than_folds_are_listed() -> None:
    tp = pd.DataFrame({"recording_id": ["a", "b", "c", "a", "a", "a"], "species_id": [0, 0, 0, 2, 2, 2]})
    assert rare_species(tp, 3, ["WREN", "LARK", "OWL"]) == ["LARK", "OWL"]
    assert rare_species(tp, 1, ["WREN", "LARK", "OWL"]) == ["LARK"]


@pytest.mark.parametrize("seed", range(5))
def test_each_species_is_spread_within_one_row(seed: int) -> None:
    tp = annotations(400, 360, 12, seed)
    fp = annotations(1500, 900, 12, seed + 100)
    folds = stratified_split(tp, fp, 5, seed)
    assert set(folds.index) == set(tp.recording_id) | set(fp.recording_id)
    assert folds.index.is_unique
    counts = pd.crosstab(tp.species_id, tp.recording_id.map(folds))
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    false = pd.crosstab(fp.species_id, fp.recording_id.map(folds))
    assert (false.max(axis=1) - false.min(axis=1)).max() <= 0.2 * false.sum(axis=1).max()


def test_the_order_of_rows_does_not_matter_but_the_seed_does() -> None:
    tp, fp = annotations(60, 50, 4, 1), annotations(60, 50, 4, 2)
    folds = stratified_split(tp, fp, 3, 7)
    pd.testing.assert_series_equal(folds, stratified_split(tp[::-1], fp[::-1], 3, 7))
    assert not folds.equals(stratified_split(tp, fp, 3, 8))


def test_a_fold_without_rows_is_refused() -> None:
    tp = pd.DataFrame({"recording_id": ["a", "b"], "species_id": [0, 1]})
    with pytest.raises(InputError, match=r"fold 2 would have no TP rows: 2 recordings .* 3 folds; shorten `folds`"):
        stratified_split(tp, tp[:0], 3, 1)


def test_rows_are_counted_by_species_and_fold() -> None:
    tp = pd.DataFrame({"recording_id": ["a", "a", "b"], "species_id": [0, 1, 1]})
    fp = pd.DataFrame({"recording_id": ["c"], "species_id": [2]})
    table = count_rows(tp, fp, fold_of_row=pd.Series([0, 0, 1]), species=["s0", "s1", "s2", "s3"])
    assert table.to_dict("list") == {
        "species": ["s0", "s1", "s2", "s3"],
        "tp_rows": [1, 2, 0, 0],
        "fp_rows": [0, 0, 1, 0],
        "tp_rows_0": [1, 1, 0, 0],
        "tp_rows_1": [0, 1, 0, 0],
    }


def test_groups_stay_whole() -> None:
    tp, fp = annotations(300, 200, 6, 1), annotations(500, 300, 6, 2)
    everyone = sorted({*tp.recording_id, *fp.recording_id})
    sites = pd.Series([f"site{number % 23}" for number in range(len(everyone))], index=everyone)
    folds = stratified_split(tp, fp, 4, 1, sites)
    assert list(folds.index) == everyone
    pairs = pd.DataFrame({"site": sites[folds.index], "fold": folds}).drop_duplicates()
    assert pairs.site.is_unique
    rows = tp.recording_id.map(folds).value_counts()
    assert rows.max() < 1.5 * rows.min()
    with pytest.raises(InputError, match=r"1 groups of recordings with TP rows cannot fill 4 folds"):
        stratified_split(tp, fp, 4, 1, sites.where(sites == "", "one site"))


def test_recordings_without_rows_are_spread_evenly_and_stay_in_their_group() -> None:
    tp, fp = annotations(300, 200, 6, 1), annotations(500, 300, 6, 2)
    silent = [f"silent{number}" for number in range(20)]
    folds = stratified_split(tp, fp, 4, 1, silent=silent)
    assert list(folds[silent].value_counts()) == [5] * 4
    everyone = [*sorted({*tp.recording_id, *fp.recording_id}), *silent]
    sites = pd.Series(everyone, everyone)
    sites["silent3"] = tp.recording_id[0]
    folds = stratified_split(tp, fp, 4, 1, sites, silent)
    assert folds["silent3"] == folds[tp.recording_id[0]]
    pd.testing.assert_series_equal(stratified_split(tp, fp, 4, 1, silent=[]), stratified_split(tp, fp, 4, 1))


def test_recordings_belong_together_through_any_value() -> None:
    sites = pd.Series({"a": "hill", "b": "river", "c": "hill", "d": "wood", "e": "marsh"})
    copies = pd.Series({"e": "e", "d": "b", "c": "c", "b": "b", "a": "a"})
    assert together(sites, copies).to_dict() == {"a": "a", "b": "b", "c": "a", "d": "b", "e": "e"}
    assert together(copies[["a", "b", "d"]]).to_dict() == {"a": "a", "b": "b", "d": "b"}


def test_the_notebooks_split_cuts_the_rows_of_each_species_in_table_order() -> None:
    tp = pd.DataFrame({"recording_id": list("abcadxy"), "species_id": [0, 0, 0, 0, 0, 1, 1]})
    rows = notebook_split(tp, 2)
    assert list(rows) == [0, 0, 1, 1, -1, 0, 1]
    folds = pd.Series([0, 1, 0, 1, -1, 0, 1], index=list("aabcdxy"))
    report = fold_report(tp, rows, folds)
    assert report.to_dict("list") == {
        "fold": [0, 1],
        "training_recordings": [4, 4],  # a c d y, and a b d x
        "validation_recordings": [3, 3],
        "validation_tp_rows": [3, 3],
        "leaked_recordings": [1, 1],
        "leaked_tp_rows": [1, 1],
    }
    assert list(notebook_split(tp, 3)[5:]) == [-1, -1]  # too few rows for a part each
    with pytest.raises(InputError, match="no species has a TP row for each of 6 folds"):
        notebook_split(tp, 6)


def test_our_split_leaks_nothing() -> None:
    tp, fp = annotations(400, 250, 12, 1), annotations(100, 250, 12, 2)
    folds = stratified_split(tp, fp, 5, 1)
    report = fold_report(tp, tp.recording_id.map(folds), folds)
    assert report.leaked_recordings.sum() == report.leaked_tp_rows.sum() == 0
    assert report.validation_tp_rows.sum() == 400
