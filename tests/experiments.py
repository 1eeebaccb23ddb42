"""The files of a small made-up experiment, as the stages before the report write them, with numbers easy to check.

Three species in six annotated recordings (t0 to t5) and four test recordings (x0 to x3) of 9 s.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import labelled_boxes, read_annotations, write_annotations
from dawnchorus.data.complete import write_complete
from dawnchorus.data.ground_truth import write_ground_truth
from dawnchorus.data.recordings import COLUMNS as RECORDING_COLUMNS
from dawnchorus.data.score_tables import write_scores
from dawnchorus.data.species import write_species
from dawnchorus.inference.detections import COLUMNS as DETECTION_COLUMNS
from dawnchorus.inference.predictions import write_predictions
from dawnchorus.inference.reliability_tables import COLUMNS as RELIABILITY_COLUMNS
from dawnchorus.inference.threshold_tables import COLUMNS as THRESHOLD_COLUMNS
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.report.tables import CURVE, Experiment, read_experiment

STARTS = np.array([0.0, 1.5, 3.0, 4.5, 6.0])
WINDOW_SECONDS = 3.0
# A name that must be escaped, and one that Matplotlib would take for a formula.
SPECIES = ["owl", "a<b>&\"c'", "x$y$"]
TRAIN, TEST = [f"t{number}" for number in range(6)], [f"x{number}" for number in range(4)]
BASELINES = ["constant", "random"]


BOXES = [
    ("t0", SPECIES[0], 1.0, 2.0, "present"), ("t1", SPECIES[0], 4.0, 5.0, "present"),
    ("t2", SPECIES[1], 1.0, 2.0, "present"), ("t3", SPECIES[1], 4.0, 5.0, "present"),
    ("t4", SPECIES[0], 1.0, 2.0, "absent"), ("t5", SPECIES[1], 4.0, 5.0, "absent"),
]  # fmt: skip
DETECTIONS = [
    ("x0", SPECIES[0], 0.0), ("x0", SPECIES[0], 6.0), ("x2", SPECIES[0], 3.0), ("x1", SPECIES[1], 1.5)
]  # fmt: skip
RELIABILITY = [
    ("", "score", 1, 10, 0.25, 0.5, 0.2, 0.8), ("", "score", 2, 30, 0.75, 0.75, 0.6, 0.9),
    ("", "probability", 1, 10, 0.25, 0.25, 0.1, 0.5), ("", "probability", 2, 30, 0.625, 0.75, 0.6, 0.9),
]  # fmt: skip
TRUTH = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]


@dataclass
class Made:
    """What a made-up experiment has; a test changes what it is about.

    Attributes:
        species: codes.
        names: common names by code.
        truth: which species call in each test recording; None without ground truth.
        has_test: whether there are test recordings.
        starts: when recordings start, by recording_id.
        sites: where they are, by recording_id.
        boxes: recording_id, species, t_min, t_max and label.
        detections: recording, species and start_s.
        promises: the lower bound of each species' precision, or why there is none.
        figures: the content of figures.json.
        reliability: rows of reliability.csv.
        remarks: lines of remarks.txt.
        unusable: problems of unusable recordings, by recording_id.
        changes: parameters that differ, by section.
    """

    species: list[str] = field(default_factory=lambda: list(SPECIES))
    names: dict[str, str] = field(default_factory=dict)
    truth: Sequence[Sequence[float]] | None = field(default_factory=lambda: TRUTH)
    has_test: bool = True
    starts: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    boxes: list[tuple[str, str, float, float, str]] = field(default_factory=lambda: BOXES)
    detections: list[tuple[str, str, float]] = field(default_factory=lambda: DETECTIONS)
    promises: Sequence[float | str] = (0.8125, "no window reaches it", "no present box")
    figures: dict[str, Any] = field(default_factory=lambda: figures("test", "oof"))
    reliability: list[tuple] = field(default_factory=lambda: RELIABILITY)
    remarks: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def with_more_species(cls) -> "Made":
        """An experiment with ten species, clock times and sites: enough for each part of the page."""
        species = [*SPECIES, *(f"species {number}" for number in range(7))]
        truth = np.eye(4, len(species))
        truth[:, :3] = TRUTH
        starts = {name: f"2024-06-0{number + 1}T{5 + number:02d}:00:00-04:00" for number, name in enumerate(TEST)}
        return cls(
            species, {"owl": "Black-throated Green Warbler"}, truth.tolist(), starts=starts,
            sites=dict.fromkeys(TEST, "old forest"), remarks=["labels.txt: odd"],
        )  # fmt: skip

    def params(self, params: Params) -> Params:
        """Parameters with one network and two folds, or others if `changes` says so."""
        base = {"backbones": ["small_cnn"], "folds": [0, 1], "window": {"seconds": WINDOW_SECONDS},
                "ensemble": {"bootstrap_samples": 100}}  # fmt: skip
        return changed(params, base | self.changes)

    def read(self, folder: Path, params: Params) -> Experiment:
        """Write the experiment and read it as the report does."""
        self.write(folder, params)
        results = folder / "results"
        return read_experiment(self.params(params), folder / "data", results, results / "figures.json")

    def write(self, folder: Path, params: Params) -> None:
        """Write data/ and results/."""
        settings = self.params(params)
        self._write_data(folder / "data")
        test = TEST if self.has_test else []
        results = folder / "results"
        (results / "scores").mkdir(parents=True)
        annotations = read_annotations(folder / "data/annotations.csv", self.species)
        oof, scored = self._windows(TRAIN), self._windows(test)
        for each in settings.rounds:
            kinds = ["predictions"] if each is settings.rounds[-1] else ["supervised"]
            for kind in kinds:
                for member in settings.members:
                    for fold in settings.folds:
                        own = _part(oof, TRAIN[fold :: len(settings.folds)])
                        path = results / kind / each.id / member / str(fold)
                        path.mkdir(parents=True)
                        write_predictions(
                            path, scored, own,
                            labelled_boxes(annotations, set(own.recording_ids)), WINDOW_SECONDS, 0.5, self.species,
                        )  # fmt: skip
            for member in settings.backbones:
                for fold in settings.folds:
                    path = results / f"curves/{each.id}/{member}/{fold}.csv"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    rows = [(epoch, 1 / epoch + fold, 0.25 * epoch, 0.5) for epoch in (1, 2)]
                    pd.DataFrame(rows, columns=CURVE).to_csv(path, index=False)
        write_scores(results / "scores/ensemble.csv", test, scored.clip_scores(), self.species)
        (results / "figures.json").write_text(json.dumps(self.figures))
        self._write_tables(results)

    def _write_data(self, data: Path) -> None:
        (data / "splits").mkdir(parents=True)
        rows = [
            {"recording_id": name, "file": f"{split}/{name}.wav", "split": split, "group": "",
             "start": self.starts.get(name, ""), "seconds": 9.0, "sample_rate": 48000, "channels": 1,
             "usable": int(name not in self.unusable), "problem": self.unusable.get(name, ""), "peak": "", "rms": "",
             "digest": name, "site": self.sites.get(name, "")}
            for split, names in (("train", TRAIN), ("test", TEST if self.has_test else []))
            for name in names
        ]  # fmt: skip
        recordings = pd.DataFrame(rows)
        recordings[[*RECORDING_COLUMNS, "site"]].to_csv(data / "recordings.csv", index=False)
        for split in ("train", "test"):
            part = recordings[recordings.split == split]
            part[RECORDING_COLUMNS].to_csv(data / f"splits/{split}.csv", index=False)
        boxes = pd.DataFrame(self.boxes, columns=["recording_id", "species", "t_min", "t_max", "label"])
        write_annotations(data / "annotations.csv", boxes.assign(f_min="", f_max=""))
        names = [self.names.get(code, "") for code in self.species]
        write_species(
            data / "species.csv",
            pd.DataFrame({"species": self.species, "scientific_name": "", "common_name": names}),
        )
        truth = self.truth if self.has_test and self.truth is not None else np.zeros((0, len(self.species)))
        table = pd.DataFrame(truth, TEST[: len(truth)], self.species)
        write_ground_truth(data / "ground_truth.csv", table)
        write_complete(data / "complete.csv", pd.DataFrame({"recording_id": [], "species": []}))
        (data / "remarks.txt").write_text("".join(f"{line}\n" for line in self.remarks))

    def _write_tables(self, results: Path) -> None:
        n_species = len(self.species)
        pd.DataFrame(
            {"species": self.species, "training_recordings": 2, "fewer_than_folds": "no",
             "average_precision": np.resize([0.75, 0.5, np.nan], n_species), "test_present": 1, "test_recordings": 4}
        ).to_csv(results / "species_metrics.csv", index=False)  # fmt: skip
        promises = [self.promises[number % len(self.promises)] for number in range(n_species)]
        thresholds = pd.DataFrame({"species": self.species, "threshold": np.resize([0.5, 0.75, np.nan], n_species)})
        thresholds["precision_low"] = [each if isinstance(each, float) else 0.25 for each in promises]
        thresholds["no_promise"] = ["" if isinstance(each, float) else each for each in promises]
        thresholds = thresholds.assign(
            probability=0.5, precision=0.9375, windows_above=1, present_boxes=2, present_recordings=2, absent_boxes=1,
            complete_recordings=0, prevalence=0.1, slope=1.0, offset=0.0,
        )  # fmt: skip
        thresholds.reindex(columns=THRESHOLD_COLUMNS).to_csv(results / "thresholds.csv", index=False)
        pd.DataFrame(self.reliability, columns=RELIABILITY_COLUMNS).to_csv(results / "reliability.csv", index=False)
        found = pd.DataFrame(self.detections, columns=["recording", "species", "start_s"])
        clock = [self._clock_time(name, start) for name, _, start in self.detections]
        found = found.assign(end_s=found.start_s.astype(float) + 3, clock_time=clock, score=0.9, probability=0.9)
        found = found.assign(threshold=0.5, site="", channel="mean", scientific_name="", common_name="", file="")
        found[DETECTION_COLUMNS].to_csv(results / "detections.csv", index=False)

    def _clock_time(self, name: str, start: float) -> str:
        begin = self.starts.get(name, "")
        time = pd.Timestamp(begin) + pd.Timedelta(seconds=start) if begin else None
        return time.isoformat(timespec="milliseconds") if time else ""

    def _windows(self, names: Sequence[str]) -> Windows:
        rng = np.random.default_rng(1)
        scores = [rng.uniform(0.05, 0.2, (len(STARTS), len(self.species))) for _ in names]
        return Windows.of(names, [STARTS] * len(names), scores, len(self.species))


def figures(*sets: str) -> dict[str, Any]:
    """The content of figures.json with figures of these sets: "test", "oof" or "complete"."""
    found: dict[str, Any] = {}
    for number, name in enumerate(sets):
        values = {"ensemble": 0.875, "small_cnn": 0.8125, "constant": 0.5, "random": 0.25}
        found[name] = {
            each: {"lwlrap": value - number / 16, "lwlrap_low": value - 0.125, "lwlrap_high": value + 0.0625,
                   "macro_average_precision": value}
            for each, value in values.items()
        }  # fmt: skip
        if name == "complete":
            found[name] = {each: {"recordings": 3} | rows for each, rows in found[name].items()}
    return found | {"weights": {}, "skipped": {"recordings": 0, "tp_rows": 0, "fp_rows": 0, "copies": 0}}


def _part(windows: Windows, names: Sequence[str]) -> Windows:
    """The windows of some recordings."""
    rows = [windows.recording_ids.index(name) for name in names]
    scores = [windows.scores[windows.edges[row] : windows.edges[row + 1]] for row in rows]
    return Windows.of(names, [STARTS] * len(names), scores, windows.scores.shape[1])
