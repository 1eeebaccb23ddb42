"""The ensemble: joined by recording, and made of the experiment's own models alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dawnchorus.ensemble import collect, mean_scores
from dawnchorus.errors import InputError
from dawnchorus.leftovers import remove_leftovers
from dawnchorus.tables import write_scores


def predictions(folder: Path, backbone: str, fold: int, value: float) -> None:
    path = folder / backbone / str(fold)
    path.mkdir(parents=True)
    test = ["t1", "t0"] if fold else ["t0", "t1"]
    write_scores(path / "test.csv", test, np.full((2, 2), value) + [[0.1 * int(name[1])] for name in test])
    write_scores(path / "oof.csv", [f"r{fold}"], np.full((1, 2), value))


def test_means_over_folds_and_backbones_are_joined_on_the_recording(tmp_path: Path) -> None:
    for backbone, fold, value in [("a", 0, 0.1), ("a", 1, 0.3), ("b", 0, 0.5), ("b", 1, 0.5)]:
        predictions(tmp_path, backbone, fold, value)
    test, oof = collect(tmp_path, ["a", "b"], [0, 1], ["s0", "s1"])
    assert test["a"].s0.to_dict() == pytest.approx({"t0": 0.2, "t1": 0.3})
    assert test["ensemble"].s0.to_dict() == pytest.approx({"t0": 0.35, "t1": 0.45})
    assert oof["a"].s1.to_dict() == pytest.approx({"r0": 0.1, "r1": 0.3})
    assert oof["ensemble"].s1.to_dict() == pytest.approx({"r0": 0.3, "r1": 0.4})


def test_what_an_earlier_experiment_left_is_neither_used_nor_kept(tmp_path: Path) -> None:
    for backbone, fold in [("a", 0), ("a", 1), ("a", 2), ("gone", 0)]:
        predictions(tmp_path, backbone, fold, 0.9 if backbone == "gone" or fold == 2 else 0.1)
    test, _ = collect(tmp_path, ["a"], [0, 1], ["s0", "s1"])
    assert test["ensemble"].s0["t0"] == pytest.approx(0.1)
    (tmp_path / "notes.txt").touch()
    remove_leftovers(tmp_path, ["a"], [0, 1])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")) == ["a/0", "a/1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "notes.txt"]
    remove_leftovers(tmp_path / "nowhere", ["a"], [0])


def test_tables_of_different_recordings_are_refused() -> None:
    one = pd.DataFrame({"s0": [0.1, 0.2]}, index=["a", "b"])
    with pytest.raises(InputError, match=r"two\.csv: 1 recordings stand there or in one\.csv alone, .* 'b'"):
        mean_scores({"one.csv": one, "two.csv": one[:1]})
