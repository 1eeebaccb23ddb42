"""A made-up experiment with sounds, as the examples of the report need it."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
from sounds import RATE, written
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.complete import Completeness
from dawnchorus.inference.ensemble import EnsembleWindows
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.report.tables import Experiment
from dawnchorus.reporting.results import Recordings

BOXES = ["recording_id", "species_id", "t_min", "t_max", "f_min", "f_max", "is_tp"]
STARTS = np.array([0.0, 1.5, 3.0, 4.5, 6.0])


def recordings(
    boxes: list[tuple], complete: list[str] | None = None, truth: list[list[float]] | None = None, train: str = "abcd"
) -> Recordings:
    """Tables about annotated recordings of 9 s, two species x and y, and test recordings k, l and so on."""

    def table(names: str, split: str) -> pd.DataFrame:
        rows = {"file": [f"{split}/{name}.wav" for name in names], "split": split, "group": "", "usable": True,
                "start": "2024-06-11T05:59:58-04:00", "seconds": 9.0, "digest": list(names)}  # fmt: skip
        return pd.DataFrame(rows, pd.Index(list(names), dtype=object))

    test = "klmnop"[: len(truth or [])]
    known = Completeness.of_table(pd.DataFrame({"recording_id": complete or [], "species": ""}), ["x", "y"])
    kinds = {"species_id": int, "is_tp": bool} | dict.fromkeys(BOXES[2:6], float)
    return Recordings(
        pd.DataFrame(boxes, columns=BOXES).astype(kinds), table(train, "train"), table(test, "test"),
        pd.DataFrame(truth or np.empty((0, 2)), list(test), ["x", "y"]),
        pd.DataFrame(columns=BOXES).astype(kinds), known,
    )  # fmt: skip


def windows(scores: dict[str, list[float]], other: float = 0.1) -> Windows:
    """Window scores of the first species by recording; the second has the same one everywhere."""
    parts = [np.column_stack([values, np.full(len(values), other)]) for values in scores.values()]
    return Windows.of(list(scores), [STARTS[: len(part)] for part in parts], parts, 2)


def made_experiment(folder: Path, params: Params, examples: int = 2, window_seconds: float = 3.0) -> Experiment:
    """What the sounds are made of: a call at 4 to 5 s of recording a, and a wrong detection in test recording k."""
    rng = np.random.default_rng(1)
    times = np.arange(9 * RATE) / RATE
    call = 0.1 * np.sin(2 * np.pi * 2500 * times) * (times > 4) * (times < 5)
    for split, name in (("train", "a"), ("train", "b"), ("test", "k")):
        (folder / split).mkdir(exist_ok=True)
        samples = rng.normal(0, 0.001, len(times)) + (call if name == "a" else 0)
        written(folder / split / f"{name}.wav", samples.astype(np.float32))
    boxes = [("a", 0, 4.0, 5.0, 2000, 3000, True), ("a", 1, 4.5, 5.5, 6000, 7000, True),
             ("b", 0, 1.0, 2.0, 2000, 3000, False), ("a", 0, 4.0, 5.0, 2000, 3000, True)]  # fmt: skip
    tables = recordings(boxes, truth=[[0, 1]], train="ab")
    oof = windows({"a": [0.1, 0.1, 0.95, 0.2, 0.1], "b": [0.3, 0.1, 0.1, 0.1, 0.1]})
    test = windows({"k": [0.1, 0.1, 0.1, 0.9, 0.1]})
    detections = pd.DataFrame(
        [("k", "x", 4.5, 7.5, 0.9, 0.8, 0.6)],
        columns=["recording", "species", "start_s", "end_s", "score", "probability", "threshold"],
    )
    thresholds = pd.DataFrame(
        {"species": ["x", "y"], "threshold": [0.6, 0.7], "probability": [0.6, 0.6], "no_promise": ["", "1 present box"]}
    )
    species = pd.DataFrame({"species": ["x", "y"], "scientific_name": "", "common_name": ["<Owl>", ""]})
    settings = changed(
        params, {"data": {"root": str(folder)}, "report": {"examples": examples}, "window": {"seconds": window_seconds}}
    )
    values = SimpleNamespace(
        params=settings, recordings=tables, species=species, supervised=EnsembleWindows(oof, test, [test]),
        test_windows=test, detections=detections, thresholds=thresholds,
    )  # fmt: skip
    return cast("Experiment", values)
