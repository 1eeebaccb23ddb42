"""Sounds of which it is known whether a species calls in them, with the scores that models gave them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.detect import Detect
from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations, labelled_boxes
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.inference.box_scores import best_windows
from dawnchorus.inference.ensemble import EnsembleWindows
from dawnchorus.inference.events import find_events
from dawnchorus.inference.thresholds import FEWEST_TEST, WindowModel, fit_window_model
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.results import Recordings, truth_of_test
from dawnchorus.training.evidence import complete_windows, gather_evidence

# The recording and the species; start of the window that scores it, s; its score and what that means; whether the
# species calls, and how that is known; the labelled box, NaN without one, s; the detection, NaN without one, s.
COLUMNS = ["split", "recording_id", "species_id", "window_s", "score", "probability", "threshold", "is_present",
           "basis", "t_min", "t_max", "start_s", "end_s"]  # fmt: skip


class Basis(StrEnum):
    """How it is known whether a species calls: by a labelled box, a complete recording, or a recording's truth."""

    BOX = "box"
    COMPLETE = "complete"
    RECORDING = "recording"


@dataclass(frozen=True)
class Judge:
    """What scores of windows mean.

    Attributes:
        model: probabilities of scores.
        thresholds: score of each species from which on a window is detected; NaN for never, shape [Species].
    """

    model: WindowModel
    thresholds: NDArray[np.float64]

    def of_scores(self, species: NDArray[np.integer], scores: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
        """The columns probability and threshold of scores, shape [Scores] each."""
        return {
            "probability": self.model.of_species(species).probabilities(scores),
            "threshold": self.thresholds[species],
        }


def gather_candidates(
    params: Params,
    recordings: Recordings,
    supervised: EnsembleWindows,
    test: Windows,
    detections: pd.DataFrame,
    thresholds: pd.DataFrame,
    window_seconds: float,
) -> tuple[pd.DataFrame, list[str]]:
    """Collect all sounds of which it is known whether a species calls in them.

    Args:
        params: parameters of the experiment.
        recordings: the tables about recordings.
        supervised: window scores by models that learned from annotations alone: of the first round.
        test: window scores of the test recordings by the models of the last round.
        detections: with the columns of `results/detections.csv`; times, scores and probabilities are floats.
        thresholds: as from `threshold_tables.read_thresholds`.
        window_seconds: length of a window, s.

    Returns:
        The columns `COLUMNS`; and the digest of the recording of each row, the same for recordings with the same sound.
    """
    overlap = params.labels.min_overlap
    judge = judge_of_folds(supervised, recordings, test.scores, thresholds, window_seconds, overlap)
    labelled = labelled_candidates(supervised.oof, recordings, judge, window_seconds, overlap, params.detect)
    parts = [labelled]
    if len(test.recording_ids):
        parts.append(test_candidates(test, recordings, detections, list(thresholds.species)))
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    tables = {TRAIN: recordings.train, TEST: recordings.test}
    return found, [str(tables[split].digest[name]) for split, name in zip(found.split, found.recording_id, strict=True)]


def judge_of_folds(
    windows: EnsembleWindows,
    recordings: Recordings,
    test: NDArray[np.floating],
    thresholds: pd.DataFrame,
    window_seconds: float,
    min_overlap: float,
) -> Judge:
    """Fit what out-of-fold scores mean, which are by the models of one fold each, as the stage calibrate does.

    Scores by all models vary less, so their thresholds are no thresholds of these. As many windows of the test
    recordings are above either; the threshold of these scores is the mean over the models of each fold. Where no window
    is above, both have the same probability. With too few test recordings, thresholds are for these scores anyway.

    Args:
        windows: window scores by models that learned from annotations alone: of the first round.
        recordings: the tables about recordings.
        test: scores of the windows of test recordings by all models, shape [Windows, Species].
        thresholds: of scores by all models, as from `threshold_tables.read_thresholds`.
        window_seconds: length of a window, s.
        min_overlap: see `box_scores.best_windows`.
    """
    oof = windows.oof
    annotations = Annotations.of_table(recordings.annotations)
    boxes = labelled_boxes(recordings.annotations, set(oof.recording_ids))
    units = pd.Series(number_groups(recordings.train.group, oof.recording_ids), oof.recording_ids)
    evidence = gather_evidence(
        oof, boxes, annotations, Annotations.of_table(recordings.uncertain), recordings.complete, units,
        window_seconds, min_overlap,
    )  # fmt: skip
    has_test = len(windows.test.recording_ids) >= FEWEST_TEST
    groups = [np.sort(each.scores, axis=0) for each in (windows.test_by_fold if has_test else [oof])]
    wanted = thresholds.probability.to_numpy(float)
    model = fit_window_model(evidence, groups, oof.scores.shape[1], np.ones(len(evidence.scores), int))
    known = thresholds.threshold.to_numpy(float)
    return Judge(model, _by_rank(groups, test, known, model.score_at(wanted)) if has_test else known)


def _by_rank(
    groups: Sequence[NDArray[np.floating]],
    test: NDArray[np.floating],
    thresholds: NDArray[np.float64],
    otherwise: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean of the scores of `groups`, in ascending order, that as many windows reach as reach the thresholds."""
    above, columns = (test >= thresholds).sum(axis=0), np.arange(len(thresholds))
    reached = np.mean([group[-np.maximum(above, 1), columns] for group in groups], axis=0, dtype=float)
    return np.where(np.isnan(thresholds), np.nan, np.where(above > 0, reached, otherwise))


def labelled_candidates(
    oof: Windows, recordings: Recordings, judge: Judge, window_seconds: float, min_overlap: float, detect: Detect
) -> pd.DataFrame:
    """Labelled boxes, and windows of recordings that are annotated completely, with scores out of fold.

    An absent box is left out if the window that scores it touches a call of its species.

    Args:
        oof: window scores of the annotated recordings.
        recordings: the tables about recordings.
        judge: of these scores.
        window_seconds: length of a window, s.
        min_overlap: see `box_scores.best_windows`.
        detect: how windows become detections.

    Returns:
        The columns `COLUMNS`.
    """
    known = recordings.annotations[recordings.annotations.recording_id.isin(oof.recording_ids)]
    known = known.drop_duplicates(ignore_index=True)
    row, species = best_windows(oof, known, window_seconds, min_overlap), known.species_id.to_numpy()
    boxes = pd.DataFrame({
        "recording_id": known.recording_id, "species_id": species, "window_s": oof.starts[row],
        "score": oof.scores[row, species].astype(float), "is_present": known.is_tp, "basis": Basis.BOX.value,
        "t_min": known.t_min, "t_max": known.t_max,
    })  # fmt: skip
    boxes = boxes[boxes.is_present | ~_touches_call(boxes, known[known.is_tp], window_seconds)]
    row, species, is_present = complete_windows(
        oof, Annotations.of_table(recordings.annotations), Annotations.of_table(recordings.uncertain),
        recordings.complete.of(oof.recording_ids), window_seconds, min_overlap,
    )  # fmt: skip
    windows = pd.DataFrame({
        "recording_id": np.array(oof.recording_ids, dtype=object)[oof.recordings[row]], "species_id": species,
        "window_s": oof.starts[row], "score": oof.scores[row, species].astype(float), "is_present": is_present,
        "basis": Basis.COMPLETE.value, "t_min": np.nan, "t_max": np.nan,
    })  # fmt: skip
    found = pd.concat([table for table in (boxes, windows) if len(table)] or [boxes], ignore_index=True)
    columns = judge.of_scores(found.species_id.to_numpy(), found.score.to_numpy())
    found = found.assign(split=TRAIN, start_s=np.nan, end_s=np.nan, **columns)
    above = found[found.score >= found.threshold]
    of_recording = {name: number for number, name in enumerate(oof.recording_ids)}
    for name, rows in above.groupby("recording_id", sort=False):
        first, last = oof.edges[of_recording[name] : of_recording[name] + 2]
        events = find_events(
            oof.starts[first:last], oof.scores[first:last], judge.thresholds, window_seconds, detect.gap_seconds,
            recordings.train.seconds[name], detect.min_seconds,
        )  # fmt: skip
        pairs = rows[["species_id", "window_s"]].reset_index(names="candidate").merge(events, on="species_id")
        pairs = pairs[(pairs.window_s >= pairs.start_s) & (pairs.window_s < pairs.end_s)]
        found.loc[pairs.candidate, ["start_s", "end_s"]] = pairs[["start_s", "end_s"]].to_numpy()
    return found[COLUMNS]


def _touches_call(candidates: pd.DataFrame, calls: pd.DataFrame, window_seconds: float) -> NDArray[np.bool_]:
    """Whether the window of each candidate has a part of a call of its species, shape [Candidates]."""
    pairs = candidates[["recording_id", "species_id", "window_s"]].reset_index(names="candidate")
    pairs = pairs.merge(calls, on=["recording_id", "species_id"])
    touching = (pairs.t_max > pairs.window_s) & (pairs.t_min < pairs.window_s + window_seconds)
    return np.asarray(candidates.index.isin(pairs.candidate[touching]))


def test_candidates(
    test: Windows, recordings: Recordings, detections: pd.DataFrame, species: Sequence[str]
) -> pd.DataFrame:
    """Detections in test recordings of which it is known whether the species calls in them, but not when.

    Args:
        test: window scores of the test recordings by all models.
        recordings: the tables about recordings. Copies of training recordings are left out.
        detections: in the test recordings, with the columns of `results/detections.csv`.
        species: the codes of the species.

    Returns:
        The columns `COLUMNS`. The window is the detection's highest one.
    """
    truth = truth_of_test(recordings)
    if truth is None:
        detections, truth = detections[:0], GroundTruth([], np.zeros((0, len(species)), bool), np.zeros((0, 0), bool))
    found = detections[detections.recording.isin(truth.recording_ids)].reset_index(drop=True)
    row = pd.Index(truth.recording_ids, dtype=object).get_indexer(found.recording)
    column = pd.Index(species, dtype=object).get_indexer(found.species)
    of_recording = {name: number for number, name in enumerate(test.recording_ids)}
    window_s = np.empty(len(found))
    for number, each in enumerate(found.itertuples()):
        first, last = test.edges[of_recording[each.recording] : of_recording[each.recording] + 2]
        starts = test.starts[first:last]
        # Times of detections are rounded to the millisecond.
        inside = np.flatnonzero((starts > each.start_s - 0.001) & (starts < each.end_s))
        window_s[number] = starts[inside[test.scores[first:last, column[number]][inside].argmax()]]
    table = found[["start_s", "end_s", "score", "probability", "threshold"]].assign(
        split=TEST, recording_id=found.recording, species_id=column, window_s=window_s, basis=Basis.RECORDING.value,
        is_present=truth.truth[row, column], t_min=np.nan, t_max=np.nan,
    )  # fmt: skip
    return table[truth.mask[row, column]][COLUMNS]
