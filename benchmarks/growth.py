"""How the run time of folds, data index and ensemble grows with the size of the data set."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from rows import Row, in_turn

from dawnchorus.config.ensemble import Ensemble
from dawnchorus.data.annotations import Annotations, labelled_boxes, read_annotations, write_annotations
from dawnchorus.data.folds import fold_report, stratified_split
from dawnchorus.data.formats.rfcx import species_columns
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.score_tables import write_scores
from dawnchorus.inference.box_tables import write_boxes
from dawnchorus.inference.ensemble import collect
from dawnchorus.reporting.metrics import box_figures, figures

SIZES = (100, 1_000, 10_000, 100_000)
N_SPECIES, N_FOLDS = 24, 5
SPECIES = species_columns(N_SPECIES)
TURNS = 3


def measure(folder: Path) -> list[Row]:
    """Measure the time at each size, with 10 annotations per recording, and the slope of log time over log size."""
    for size in SIZES:
        _write(folder / str(size), size)
    found = in_turn({str(size): partial(_work, folder / str(size)) for size in SIZES}, TURNS, warm_up=False)
    seconds = [found[str(size)] for size in SIZES]
    rows = [Row(f"growth: {size} recordings", "s", value, faster_is_more=False)
            for size, value in zip(SIZES, seconds, strict=True)]  # fmt: skip
    # Below a second, fixed costs hide the growth.
    slope = np.log(seconds[-1] / seconds[-2]) / np.log(SIZES[-1] / SIZES[-2])
    return [*rows, Row("growth: slope of log time over log size", "", float(slope), None, 1.0, faster_is_more=False)]


def _write(folder: Path, size: int) -> None:
    """Write the annotations and predictions of a random data set of `size` recordings."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = np.array([f"r{number:06d}" for number in range(size)])
    tables = []
    for label, n_rows in (("present", size), ("absent", 9 * size)):
        begin = rng.uniform(0, 55, n_rows)
        tables.append(pd.DataFrame({
            "recording_id": names[rng.integers(0, size, n_rows)],
            "species": np.array(SPECIES)[rng.integers(0, N_SPECIES, n_rows)], "t_min": begin, "t_max": begin + 2,
            "f_min": 1e3, "f_max": 3e3, "label": label,
        }))  # fmt: skip
    write_annotations(folder / "annotations.csv", pd.concat(tables, ignore_index=True))
    annotations = read_annotations(folder / "annotations.csv", SPECIES)
    write_scores(folder / "test.csv", list(names), rng.random((size, N_SPECIES), np.float32), SPECIES)
    for fold in range(N_FOLDS):
        (folder / f"model/{fold}").mkdir(parents=True)
        shutil.copy(folder / "test.csv", folder / f"model/{fold}/test.csv")
        part = names[fold::N_FOLDS]
        write_scores(
            folder / f"model/{fold}/oof.csv", list(part), rng.random((len(part), N_SPECIES), np.float32), SPECIES
        )
        boxes = labelled_boxes(annotations, set(part))
        write_boxes(folder / f"model/{fold}/boxes.csv", boxes, rng.random(len(boxes)))


def _work(folder: Path) -> None:
    """Split the data set, index it for training, and evaluate the ensemble."""
    settings = Ensemble(weights="equal", prior="none", bootstrap_samples=1000)
    annotations = read_annotations(folder / "annotations.csv", SPECIES)
    tp, fp = annotations[annotations.is_tp], annotations[~annotations.is_tp]
    folds = stratified_split(tp, fp, N_FOLDS, seed=1)
    fold_report(tp, tp.recording_id.map(folds), folds)
    Annotations.of_table(annotations).of_recordings(set(folds.index[folds != 0]))
    found = collect(folder, ["model"], list(range(N_FOLDS)), SPECIES, settings)[0]["ensemble"]
    answers = GroundTruth.of_annotations(annotations, list(found.oof.index), N_SPECIES)
    figures(answers, {"ensemble": found.oof}, settings.bootstrap_samples, seed=1)
    box_figures({"ensemble": found.boxes}, settings.bootstrap_samples, seed=1)
