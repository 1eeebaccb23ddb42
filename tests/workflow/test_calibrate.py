"""The script that calibrates, on predictions whose truth is known: what it promises, and what it does not."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from scipy.special import expit
from tiny import ROOT

from dawnchorus.data.annotations import labelled_boxes, read_annotations
from dawnchorus.inference.box_scores import score_boxes
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.reliability_tables import read_reliability
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.inference.window_tables import Windows, read_windows, write_windows

SPECIES = ["OWL", "LARK"]
SECONDS, STARTS = 3.0, np.arange(0, 60, 3.0)
TRAIN, TEST = [f"r{number}" for number in range(60)], [f"t{number}" for number in range(30)]
ROUNDS = [{"id": "first", "pseudo_labels": "none", "weight": 0.0},
          {"id": "second", "pseudo_labels": "first", "weight": 0.3}]  # fmt: skip


def truth_of(seed: int, names: list[str]) -> np.ndarray:
    """Whether each species calls in each window, shape [Recordings, Windows, 2]."""
    return np.random.default_rng(seed).random((len(names), len(STARTS), 2)) < [0.2, 0.1]


def scored(names: list[str], truth: np.ndarray, seed: int, shift: float) -> Windows:
    """Scores that separate windows with a species from the others by `shift` in log odds."""
    rng = np.random.default_rng(seed)
    scores = expit(np.where(truth, shift / 2, -shift / 2) + rng.normal(0, 1.2, truth.shape))
    return Windows.of(names, [STARTS] * len(names), list(scores), 2)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Tables, and predictions of two folds by two rounds: the second is too good in the recordings with labels."""
    truth, of_test = truth_of(0, TRAIN), truth_of(1, TEST)
    pd.DataFrame({"species": SPECIES, "scientific_name": "", "common_name": ""}).to_csv(
        tmp_path / "species.csv", index=False
    )
    boxes = [
        (name, code, start + 0.5, start + 2.5, 100, 200, "present" if truth[row, window, number] else "absent")
        for row, name in enumerate(TRAIN)
        for number, code in enumerate(SPECIES)
        for window, start in enumerate(STARTS)
        if window in (3 * number, 3 * number + 9)
    ]
    columns = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max", "label"]
    pd.DataFrame(boxes, columns=columns).to_csv(tmp_path / "annotations.csv", index=False)
    (tmp_path / "complete.csv").write_text("recording_id,species\n")
    (tmp_path / "splits").mkdir()
    pd.DataFrame({
        "recording_id": TRAIN, "file": TRAIN, "split": "train", "group": "", "start": "", "seconds": 60.0,
        "sample_rate": 48_000, "channels": 1, "usable": 1, "problem": "", "peak": "", "rms": "", "digest": "",
    }).to_csv(tmp_path / "splits/train.csv", index=False)  # fmt: skip
    labelled = read_annotations(tmp_path / "annotations.csv", SPECIES)
    for fold in (0, 1):
        left_out, known = TRAIN[fold::2], truth[fold::2]
        for folder, shift, leak in (("single/first", 6, 6), ("supervised/first", 6, 6), ("predictions/second", 7, 11)):
            to = tmp_path / folder / "small_cnn" / str(fold)
            to.mkdir(parents=True)
            oof = scored(left_out, known, fold, leak)
            write_windows(to / "oof.parquet", oof, SPECIES)
            write_windows(to / "test.parquet", scored(TEST, of_test, 10 + fold, shift), SPECIES)
            own = labelled_boxes(labelled, set(left_out))
            write_boxes(to / "boxes.csv", own, score_boxes(oof, own, SECONDS, 0.5))
    return tmp_path


def calibrate(folder: Path, predictions: str, params: Path, fails: bool = False) -> str:
    tables = [word for name in ("annotations", "complete", "species") for word in (f"--{name}", folder / f"{name}.csv")]
    outputs = [word for name in ("thresholds", "reliability") for word in (f"--{name}", folder / f"{name}.csv")]
    done = subprocess.run(
        [sys.executable, "workflow/scripts/calibrate.py", "--params", params, *tables, "--splits", folder / "splits",
         "--answers", folder / "answers", "--predictions", folder / predictions,
         "--supervised", folder / "supervised", "--lock", folder / "dvc.lock",
         *outputs],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode != 0) == fails, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def changed(edited: Callable[[str, object], Path]) -> Callable[..., Path]:
    """A function that writes parameters for the experiment, with some changed."""

    def change(**values: object) -> Path:
        path = edited("backbones", ["small_cnn"])
        content = YAML().load(path)
        for key, value in {"folds": [0, 1], **values}.items():
            if isinstance(value, dict):
                content[key].update(value)
            else:
                content[key] = value
        YAML().dump(content, path)
        return path

    return change


def test_of_several_rounds_probabilities_are_those_of_the_first(experiment: Path, changed: Callable[..., Path]) -> None:
    calibrate(experiment, "single", changed())
    _, single = read_thresholds(experiment / "thresholds.csv", SPECIES)
    reliability = read_reliability(experiment / "reliability.csv")
    assert set(reliability.species) == {"", *SPECIES}
    calibrate(experiment, "predictions", changed(rounds=ROUNDS))
    _, several = read_thresholds(experiment / "thresholds.csv", SPECIES)
    assert several.no_promise.tolist() == single.no_promise.tolist() == ["", ""]
    # The same windows of the test recordings, in order of scores that are on another scale.
    for column in ("prevalence", "precision", "precision_low", "windows_above"):
        np.testing.assert_allclose(several[column], single[column])
    assert (several.threshold != single.threshold).all()
    pd.testing.assert_frame_equal(read_reliability(experiment / "reliability.csv"), reliability)
    np.testing.assert_allclose(several.prevalence, [0.2, 0.1], atol=0.08)


def test_without_test_recordings_several_rounds_promise_nothing(experiment: Path, changed: Callable[..., Path]) -> None:
    for path in experiment.glob("*/*/small_cnn/*/test.parquet"):
        write_windows(path, Windows.of([], [], [], 2), SPECIES)
    calibrate(experiment, "single", changed())
    assert read_thresholds(experiment / "thresholds.csv", SPECIES)[1].no_promise.tolist() == ["", ""]
    calibrate(experiment, "predictions", changed(rounds=ROUNDS))
    found = read_thresholds(experiment / "thresholds.csv", SPECIES)[1].no_promise
    assert set(found) == {"with several rounds, it takes at least 20 test recordings"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"split": {"method": "notebook"}}, "the folds of split.method: notebook share recordings"),
        (
            {"train": {"checkpoint": "validation_lwlrap"}},
            "the epoch was chosen by the recordings that were left out",
        ),
    ],
)  # fmt: skip
def test_where_scores_out_of_fold_are_not_honest_nothing_is_said(
    experiment: Path, changed: Callable[..., Path], values: dict, reason: str
) -> None:
    calibrate(experiment, "single", changed(**values))
    assert set(read_thresholds(experiment / "thresholds.csv", SPECIES)[1].no_promise) == {reason}
    assert read_reliability(experiment / "reliability.csv").empty


def test_complete_recordings_show_precision_and_recall(experiment: Path, changed: Callable[..., Path]) -> None:
    _, before = calibrate(experiment, "single", changed()), read_thresholds(experiment / "thresholds.csv", SPECIES)[1]
    assert before.filter(like="measured").isna().all(axis=None)
    # Of the first species, each call has a box; a window with none of it is without the species.
    truth = truth_of(0, TRAIN)
    calls = [(name, "OWL", start + 0.1, start + 1.4, 100, 200, "present")
             for row, name in enumerate(TRAIN) for start in STARTS[truth[row, :, 0]]]  # fmt: skip
    table = pd.read_csv(experiment / "annotations.csv")
    more = pd.DataFrame(calls, columns=table.columns)
    pd.concat([table[table.species != "OWL"], more]).to_csv(experiment / "annotations.csv", index=False)
    (experiment / "complete.csv").write_text("recording_id,species\n" + "".join(f"{name},OWL\n" for name in TRAIN))
    calibrate(experiment, "single", changed())
    _, found = read_thresholds(experiment / "thresholds.csv", SPECIES)
    assert found.complete_recordings.tolist() == [60, 0]
    owl, lark = found.filter(like="measured").itertuples(index=False)
    assert np.isnan(lark).all()
    assert owl.measured_precision_low < owl.measured_precision < owl.measured_precision_high
    assert 0.5 < owl.measured_recall_low < owl.measured_recall <= owl.measured_recall_high <= 1


def answers_to(experiment: Path, windows: Windows, truth: np.ndarray, split: str) -> None:
    """Write answers about every tenth window, by score, for OWL."""
    order = np.argsort(-windows.scores[:, 0])[::10]
    names = np.array(windows.recording_ids)[windows.recordings]
    table = pd.DataFrame({
        "review": "m", "item": range(1, len(order) + 1), "recording_id": names[order], "split": split,
        "t_min": windows.starts[order], "t_max": windows.starts[order] + SECONDS, "species": "OWL",
        "answer": np.where(truth.reshape(-1, 2)[order, 0], "present", "absent"), "reviewer": "Ada", "time": "",
        "model": "", "score": 0.5, "purpose": "measure", "stratum": "1", "inclusion_probability": 0.1,
    })  # fmt: skip
    (experiment / "answers").mkdir(exist_ok=True)
    table.to_csv(experiment / "answers/answers.csv", index=False)


def test_answers_about_test_recordings_give_promises_that_annotations_cannot(
    experiment: Path, changed: Callable[..., Path]
) -> None:
    truth = truth_of(1, TEST)
    by_fold = [
        read_windows(experiment / f"predictions/second/small_cnn/{fold}/test.parquet", SPECIES) for fold in (0, 1)
    ]
    both = replace(by_fold[0], scores=np.mean([one.scores for one in by_fold], axis=0, dtype=np.float32))
    answers_to(experiment, both, truth, "test")
    params = changed(rounds=ROUNDS, split={"method": "stratified"})
    calibrate(experiment, "predictions", params)
    _, found = read_thresholds(experiment / "thresholds.csv", SPECIES)
    assert found.rests_on.tolist() == ["60 answers of m", "annotations"]
    owl = found.loc[0]
    is_above = both.scores[:, 0] >= owl.threshold
    assert owl.windows_above == is_above.sum()
    assert truth.reshape(-1, 2)[is_above, 0].mean() >= owl.precision_low
    assert owl.density_low < truth[..., 0].mean() < owl.density_high
    # The other species has the figures that it has without answers.
    (experiment / "answers/answers.csv").unlink()
    calibrate(experiment, "predictions", params)
    _, before = read_thresholds(experiment / "thresholds.csv", SPECIES)
    pd.testing.assert_series_equal(before.loc[1, :"measured_recall_high"], found.loc[1, :"measured_recall_high"])
    assert "density" not in (experiment / "thresholds.csv").read_text()


def test_answers_whose_windows_are_gone_are_counted(experiment: Path, changed: Callable[..., Path]) -> None:
    windows = read_windows(experiment / "single/first/small_cnn/0/test.parquet", SPECIES)
    answers_to(experiment, replace(windows, starts=windows.starts + 1), truth_of(1, TEST), "test")
    said = calibrate(experiment, "single", changed())
    assert "60 answers are not used: no window is where they are" in said
