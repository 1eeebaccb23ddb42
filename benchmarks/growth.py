"""Folds, the index of the data, and the ensemble: how their time grows with the data set."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from rows import Row, in_turn

from dawnchorus.config.ensemble import Ensemble
from dawnchorus.data.annotations import Annotations, labelled_boxes
from dawnchorus.data.folds import fold_report, stratified_split
from dawnchorus.data.formats.rfcx import read_both_annotations
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.score_tables import write_scores
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.ensemble import collect
from dawnchorus.reporting.metrics import box_figures, figures

SIZES = (100, 1_000, 10_000, 100_000)
N_SPECIES, N_FOLDS = 24, 5
TURNS = 3


def measure(folder: Path) -> list[Row]:
    """The slope of log time over log size, and the time at the largest size; 10 rows a recording."""
    for size in SIZES:
        _write(folder / str(size), size)
    found = in_turn({str(size): partial(_work, folder / str(size)) for size in SIZES}, TURNS, warm_up=False)
    seconds = [found[str(size)] for size in SIZES]
    rows = [Row(f"growth: {size} recordings", "s", value, faster_is_more=False)
            for size, value in zip(SIZES, seconds, strict=True)]  # fmt: skip
    # Below a second, fixed costs hide how it grows.
    slope = np.log(seconds[-1] / seconds[-2]) / np.log(SIZES[-1] / SIZES[-2])
    return [*rows, Row("growth: slope of log time over log size", "", float(slope), None, 1.0, faster_is_more=False)]


def _write(folder: Path, size: int) -> None:
    """Annotations and predictions of a data set."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = np.array([f"r{number:06d}" for number in range(size)])
    for kind, n_rows in (("tp", size), ("fp", 9 * size)):
        begin = rng.uniform(0, 55, n_rows)
        pd.DataFrame({
            "recording_id": names[rng.integers(0, size, n_rows)],
            "species_id": rng.integers(0, N_SPECIES, n_rows), "t_min": begin, "f_min": 1e3, "t_max": begin + 2,
            "f_max": 3e3,
        }).to_csv(folder / f"train_{kind}.csv", index=False)  # fmt: skip
    annotations = read_both_annotations(folder, N_SPECIES)
    write_scores(folder / "test.csv", list(names), rng.random((size, N_SPECIES), np.float32))
    for fold in range(N_FOLDS):
        (folder / f"model/{fold}").mkdir(parents=True)
        shutil.copy(folder / "test.csv", folder / f"model/{fold}/test.csv")
        part = names[fold::N_FOLDS]
        write_scores(folder / f"model/{fold}/oof.csv", list(part), rng.random((len(part), N_SPECIES), np.float32))
        boxes = labelled_boxes(*annotations, set(part))
        write_boxes(folder / f"model/{fold}/boxes.csv", boxes, rng.random(len(boxes)))


def _work(folder: Path) -> None:
    """Split it, index it for training, and evaluate the ensemble."""
    settings = Ensemble(weights="equal", prior="none", bootstrap_samples=1000)
    tp, fp = read_both_annotations(folder, N_SPECIES)
    folds = stratified_split(tp, fp, N_FOLDS, seed=1)
    fold_report(tp, tp.recording_id.map(folds), folds)
    Annotations.of_tables(tp, fp).of_recordings(set(folds.index[folds != 0]))
    columns = [f"s{number}" for number in range(N_SPECIES)]
    found = collect(folder, ["model"], list(range(N_FOLDS)), columns, settings)[0]["ensemble"]
    answers = GroundTruth.of_annotations(tp, fp, list(found.oof.index), N_SPECIES)
    figures(answers, {"ensemble": found.oof}, settings.bootstrap_samples, seed=1)
    box_figures({"ensemble": found.boxes}, settings.bootstrap_samples, seed=1)
