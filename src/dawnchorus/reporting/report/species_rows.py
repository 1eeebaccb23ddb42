"""What the report says of each species: its promise, its average precision, and whether its detections are right."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.evaluation.species_intervals import average_precision_intervals
from dawnchorus.inference.answer_thresholds import ANNOTATIONS
from dawnchorus.reporting.report.tables import Experiment, displayed_names
from dawnchorus.reporting.results import out_of_fold_truth, truth_of_test
from dawnchorus.seeding import generator


@dataclass(frozen=True)
class Fraction:
    """So many of so many, such as the right ones among all recordings with detections."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The fraction; NaN of nothing."""
        return self.part / self.whole if self.whole else float("nan")


@dataclass(frozen=True)
class SpeciesRow:
    """What is known about a species. Numbers that are not known are NaN.

    Attributes:
        code: its code.
        name: what the page calls it.
        threshold: lowest score of a detection.
        precision: expected precision of windows above the threshold.
        promise: its lower bound; NaN if it cannot be promised.
        no_promise: why it cannot be promised; empty if it can.
        rests_on: the answers of reviewers that threshold and precision rest on; empty if they rest on labels.
        present_boxes: number of labelled calls.
        present_recordings: number of recordings with labelled calls.
        absent_boxes: number of boxes that an expert labelled as absent.
        complete_recordings: number of recordings in which every call of it is labelled.
        average_precision: of clip scores.
        interval: its 95 % interval.
        present: number of recordings with the species among those that the average precision is of.
        known: number of these recordings.
        detections: number of detections.
        right: of the test recordings with detections, those in which it calls; None without ground truth.
        found: of the test recordings in which it calls, those with detections; None without ground truth.
        measured_precision: of windows in completely annotated recordings, with its 95 % interval.
        measured_recall: the same.
    """

    code: str
    name: str
    threshold: float
    precision: float
    promise: float
    no_promise: str
    rests_on: str
    present_boxes: int
    present_recordings: int
    absent_boxes: int
    complete_recordings: int
    average_precision: float
    interval: tuple[float, float]
    present: int
    known: int
    detections: int
    right: Fraction | None
    found: Fraction | None
    measured_precision: tuple[float, float, float]
    measured_recall: tuple[float, float, float]

    @property
    def chance(self) -> float:
        """The average precision of random scores."""
        return Fraction(self.present, self.known).value

    @property
    def is_promised(self) -> bool:
        """Whether a precision is promised."""
        return not self.no_promise


def species_rows(experiment: Experiment) -> list[SpeciesRow]:
    """Collect what is known about each species, in the order of scores."""
    truth, scores = average_precision_basis(experiment)
    low, high = _intervals(experiment, truth, scores)
    tested = truth_of_test(experiment.recordings) if has_test(experiment) else None
    detected = _detected(experiment, tested)
    present = (truth.truth & truth.mask).sum(axis=0)
    known = truth.mask.sum(axis=0)
    counts = experiment.detections.species.value_counts()
    rows = []
    for number, (row, name) in enumerate(
        zip(experiment.thresholds.itertuples(index=False), displayed_names(experiment.species), strict=True)
    ):
        average = float(experiment.species_metrics.average_precision.iloc[number])
        right = found = None
        if tested is not None and detected is not None:
            mask = tested.mask[:, number]
            calls, hits = tested.truth[mask, number], detected[mask, number]
            right = Fraction(int((calls & hits).sum()), int(hits.sum()))
            found = Fraction(int((calls & hits).sum()), int(calls.sum()))
        rows.append(
            SpeciesRow(
                code=row.species,
                name=name,
                threshold=row.threshold,
                precision=row.precision,
                promise=float("nan") if row.no_promise else row.precision_low,
                no_promise=row.no_promise,
                rests_on="" if row.rests_on == ANNOTATIONS else row.rests_on,
                present_boxes=int(row.present_boxes),
                present_recordings=int(row.present_recordings),
                absent_boxes=int(row.absent_boxes),
                complete_recordings=int(row.complete_recordings),
                average_precision=average,
                interval=(low[number], high[number]) if not np.isnan(average) else (np.nan, np.nan),
                present=int(present[number]),
                known=int(known[number]),
                detections=int(counts.get(row.species, 0)),
                right=right,
                found=found,
                measured_precision=(
                    row.measured_precision, row.measured_precision_low, row.measured_precision_high
                ),
                measured_recall=(row.measured_recall, row.measured_recall_low, row.measured_recall_high),
            )
        )  # fmt: skip
    return rows


def has_test(experiment: Experiment) -> bool:
    """Whether detections are from test recordings; otherwise they are from the annotated ones."""
    return len(experiment.test_scores) > 0


def is_tested(experiment: Experiment) -> bool:
    """Whether there is ground truth of test recordings."""
    return has_test(experiment) and truth_of_test(experiment.recordings) is not None


def average_precision_basis(experiment: Experiment) -> tuple[GroundTruth, pd.DataFrame]:
    """The ground truth and clip scores that the average precision of `species_metrics.csv` is computed from."""
    tested = truth_of_test(experiment.recordings)
    if tested is not None and has_test(experiment):
        return tested, experiment.test_scores
    scores = experiment.oof_scores
    return out_of_fold_truth(experiment.recordings, list(scores.index))[0], scores


def _intervals(experiment: Experiment, truth: GroundTruth, scores: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the intervals of average precision: by groups where `figures.json` has them by groups, too."""
    tables = experiment.recordings
    groups = (tables.test if is_tested(experiment) else tables.train).group
    units = number_groups(groups, truth.recording_ids) if (groups != "").any() else None
    return average_precision_intervals(
        truth.truth, scores.loc[truth.recording_ids].to_numpy(float), truth.mask,
        experiment.params.ensemble.bootstrap_samples, generator(experiment.params.seed, "report"), units,
    )  # fmt: skip


def _detected(experiment: Experiment, tested: GroundTruth | None) -> np.ndarray | None:
    """Whether each species is detected in each recording of the ground truth, shape [Recordings, Species]."""
    if tested is None:
        return None
    found = np.zeros(tested.truth.shape, bool)
    rows = pd.Index(tested.recording_ids).get_indexer(experiment.detections.recording)
    columns = pd.Index(experiment.species.species).get_indexer(experiment.detections.species)
    found[rows[rows >= 0], columns[rows >= 0]] = True
    return found
