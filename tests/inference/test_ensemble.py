"""The ensemble: joined on recordings, and computed from the models of the experiment only."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import BOX_COLUMNS, labelled_boxes
from dawnchorus.data.score_tables import write_scores
from dawnchorus.errors import InputError
from dawnchorus.evaluation.box_metrics import macro_average_precision
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.ensemble import choose_weights, collect, combine, combine_windows
from dawnchorus.inference.window_tables import Windows

SPECIES = ["s0", "s1"]


def predictions(folder: Path, backbone: str, fold: int, value: float) -> None:
    path = folder / backbone / str(fold)
    path.mkdir(parents=True)
    test = ["t1", "t0"] if fold else ["t0", "t1"]
    write_scores(path / "test.csv", test, np.full((2, 2), value) + [[0.1 * int(name[1])] for name in test], SPECIES)
    write_scores(path / "oof.csv", [f"r{fold}"], np.full((1, 2), value), SPECIES)
    tp = pd.DataFrame(
        {"recording_id": [f"r{fold}"], "species_id": [1], "t_min": [0.5], "t_max": [1.0], "is_tp": [True]}
    )
    write_boxes(path / "boxes.csv", labelled_boxes(tp, {f"r{fold}"}), np.array([value]))


def test_means_over_folds_and_backbones_are_joined_on_the_recording(tmp_path: Path, params: Params) -> None:
    for backbone, fold, value in [("a", 0, 0.1), ("a", 1, 0.3), ("b", 0, 0.5), ("b", 1, 0.5)]:
        predictions(tmp_path, backbone, fold, value)
    found, weights = collect(tmp_path, ["a", "b"], [0, 1], ["s0", "s1"], params.ensemble)
    assert weights == {"a": 0.5, "b": 0.5}
    assert found["a"].test.s0.to_dict() == pytest.approx({"t0": 0.2, "t1": 0.3})
    assert found["ensemble"].test.s0.to_dict() == pytest.approx({"t0": 0.35, "t1": 0.45})
    assert found["a"].oof.s1.to_dict() == pytest.approx({"r0": 0.1, "r1": 0.3})
    assert found["ensemble"].oof.s1.to_dict() == pytest.approx({"r0": 0.3, "r1": 0.4})
    assert found["ensemble"].boxes.score.to_dict() == pytest.approx(
        {("r0", 1, 0.5, 1.0, True): 0.3, ("r1", 1, 0.5, 1.0, True): 0.4}
    )


def test_predictions_of_other_experiments_are_ignored(tmp_path: Path, params: Params) -> None:
    for backbone, fold in [("a", 0), ("a", 1), ("a", 2), ("gone", 0)]:
        predictions(tmp_path, backbone, fold, 0.9 if backbone == "gone" or fold == 2 else 0.1)
    found, _ = collect(tmp_path, ["a"], [0, 1], ["s0", "s1"], params.ensemble)
    assert found["ensemble"].test.s0["t0"] == pytest.approx(0.1)


def test_tables_of_different_recordings_are_refused() -> None:
    one = pd.DataFrame({"s0": [0.1, 0.2]}, index=["a", "b"])
    with pytest.raises(InputError, match=r"two\.csv: 1 rows are only in this file or only in one\.csv, .* 'b'"):
        combine({"one.csv": one, "two.csv": one[:1]})


def boxes_of(scores: list[float], is_tp: list[bool], recordings: list[str]) -> pd.DataFrame:
    begin = np.arange(len(scores), dtype=float)
    columns = [recordings, [0] * len(scores), begin, begin + 1, is_tp, scores]
    table = pd.DataFrame(dict(zip([*BOX_COLUMNS, "score"], columns, strict=True)))
    return table.set_index(BOX_COLUMNS)


def test_weights_favour_the_better_backbone_and_are_equal_for_equal_backbones() -> None:
    rng = np.random.default_rng(0)
    is_tp = rng.random(60) < 0.5
    names = [f"r{number}" for number in range(60)]
    good = boxes_of(list(is_tp + rng.normal(0, 0.4, 60)), list(is_tp), names)
    noise = boxes_of(list(rng.normal(0, 0.4, 60)), list(is_tp), names)
    weights = choose_weights({"noise": noise, "good": good, "same": good})
    assert weights.sum() == pytest.approx(1)
    assert weights[0] <= 0.2
    tried = [macro_average_precision(combine({"noise": noise, "good": good}, np.array([1 - w, w])))
             for w in np.arange(11) / 10]  # fmt: skip
    assert choose_weights({"noise": noise, "good": good})[1] == np.argmax(tried) / 10
    assert choose_weights({"one": good, "other": good}).tolist() == [0.5, 0.5]


def test_out_of_fold_weights_are_chosen_on_the_other_folds(tmp_path: Path, params: Params) -> None:
    """Backbone a ranks the boxes of fold 0 correctly and those of fold 1 incorrectly; backbone b does the opposite."""
    is_tp = [True, True, False, False]
    for backbone, right_in in (("a", 0), ("b", 1)):
        for fold in (0, 1):
            predictions(tmp_path, backbone, fold, 0.5)
            rising = [0.1, 0.2, 0.8, 0.9]
            scores = rising[::-1] if fold == right_in else rising
            boxes = boxes_of(scores, is_tp, [f"r{fold}"] * 4).reset_index()
            write_boxes(tmp_path / backbone / f"{fold}/boxes.csv", boxes[BOX_COLUMNS], boxes.score.to_numpy())
    settings = changed(params, {"ensemble": {"weights": "out_of_fold"}}).ensemble
    found, _ = collect(tmp_path, ["a", "b"], [0, 1], ["s0", "s1"], settings)
    # Weights from the other fold are wrong for each fold; weights from its own boxes would be right.
    assert macro_average_precision(found["ensemble"].boxes) == macro_average_precision(
        boxes_of([0.1, 0.2, 0.8, 0.9], is_tp, ["r"] * 4)
    )


@pytest.mark.parametrize("n", range(1, 31))
def test_the_mean_of_saturated_scores_is_no_more_than_one(n: int) -> None:
    sure = Windows.of(["a"], [np.zeros(1)], [np.ones((1, 2), np.float32)], 2)
    (found,) = combine_windows({Path(str(number)): sure for number in range(n)}, [1 / n] * n).scores
    assert found.max() <= 1
    np.testing.assert_allclose(found, 1, rtol=1e-6)
