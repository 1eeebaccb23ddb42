"""The window scores that items are drawn from: those of the workflow's results, or of `dawnchorus detect`."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.loading import load_params
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.tables import read_table, to_numbers
from dawnchorus.errors import InputError
from dawnchorus.features.frames import to_seconds
from dawnchorus.inference.answer_thresholds import ANNOTATIONS
from dawnchorus.inference.calibration import Calibration, log_odds
from dawnchorus.inference.detection_files import RECORDINGS as SCORED_RECORDINGS
from dawnchorus.inference.detections import COLUMNS as DETECTION_COLUMNS
from dawnchorus.inference.ensemble import collect_windows, read_weights
from dawnchorus.inference.journal import FOLDER as WINDOWS_FOLDER
from dawnchorus.inference.journal import RUN, Journal
from dawnchorus.inference.threshold_tables import RESTS_ON, read_thresholds
from dawnchorus.inference.thresholds import FEWEST_TEST, WindowModel
from dawnchorus.inference.window_tables import Windows, read_windows
from dawnchorus.models.bundle import Bundle, read_bundle
from dawnchorus.models.shapes import Shapes
from dawnchorus.review.places import PARAMS, RECORDINGS, known_files

DETECTIONS = "detections.csv"
WRITTEN_BY = "`dawnchorus detect` writes it; repeat that command, which scores nothing again"


@dataclass(frozen=True)
class ScoredWindows:
    """Windows of recordings with the scores of a model.

    Attributes:
        bundle: the model.
        model: probabilities of scores.
        prior: the same from annotations alone; it knows nothing of species whose probabilities rest on answers.
        thresholds: of each species; NaN for one without, shape [Species].
        window_seconds: length of a window, s.
        data_root: folder that all recordings are in.
        recordings: a row for each recording, by position: recording_id, file, split (empty for one that is not in the
            data set), site, start (ISO 8601 or empty) and seconds.
        recording: position of each window's recording, shape [Windows].
        channel: number of the channel of each window, from 1; 0 for the mean of all, shape [Windows].
        starts: start of each window, s, shape [Windows].
        scores: shape [Windows, Species].
        disagreement: standard deviation of the members' log odds; 0 where a single model gave the score, shape
            [Windows, Species].
        is_measured: whether thresholds are for recordings like that of each window, shape [Windows].
        detections: the table of detections, as `dawnchorus detect` writes it.
        is_whole: whether a sample of the measured windows is one of a whole split of the data set.
    """

    bundle: Bundle
    model: WindowModel
    prior: WindowModel
    thresholds: NDArray[np.float64]
    window_seconds: float
    data_root: Path
    recordings: pd.DataFrame
    recording: NDArray[np.int64]
    channel: NDArray[np.int64]
    starts: NDArray[np.float64]
    scores: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    is_measured: NDArray[np.bool_]
    detections: pd.DataFrame
    is_whole: bool = True


def read_scores(results: Path, model: Path | None, asked: Sequence[str] = ()) -> ScoredWindows:
    """Read the scores in a folder.

    Args:
        results: the workflow's `results`, or the output folder of `dawnchorus detect`. There are no windows if that
            folder no longer has its `windows/`.
        model: folder of the model that `dawnchorus detect` used; None for `results/model`.
        asked: codes of the species that are of interest; all if there are none. Of the scores by `dawnchorus detect`,
            which may be of years of sound, those of other species are not read, and are 0.

    Raises:
        InputError: the folder has no scores, is damaged, or is of another model.
    """
    if (results / "predictions").is_dir():
        if model is not None:
            raise InputError(f"--model: {results} has a model of its own, results/model; leave the option out")
        return _of_workflow(results)
    if (results / DETECTIONS).is_file():
        return _of_detect(results, Path("results/model") if model is None else model, asked)
    raise InputError(
        f"{results}: has neither predictions/ nor {DETECTIONS}; name the folder results of a finished run, or the "
        "output folder of `dawnchorus detect`"
    )


def _of_workflow(results: Path) -> ScoredWindows:
    bundle = read_bundle(results / "model")
    params = load_params(PARAMS)
    table = read_recordings(RECORDINGS, more=["site"]).reset_index()
    folder = results / "predictions" / params.rounds[-1].id
    weights = read_weights(folder, params.members, params.folds, params.ensemble.weights)
    found = collect_windows(folder, weights, params.folds, bundle.codes)
    spread = _disagreement(folder, list(weights), params.folds, bundle.codes)
    root = Path(params.data.root)
    table["file"] = [(root / file).as_posix() for file in table.file]
    position = {(row.split, row.recording_id): row.Index for row in table.itertuples()}
    parts = [("train", found.oof), ("test", found.test)]
    names = [position.get((split, name)) for split, windows in parts for name in windows.recording_ids]
    if None in names:
        raise InputError(f"{folder}: has scores of recordings that {RECORDINGS} lacks; run the workflow again")
    numbers = np.array(names, int)
    recording = numbers[np.repeat(np.arange(len(numbers)), np.concatenate([one.n_windows for _, one in parts]))]
    has_test = len(found.test.recording_ids) >= FEWEST_TEST
    is_test = np.repeat([split == "test" for split, _ in parts], [len(one.scores) for _, one in parts])
    channel = 0 if params.data.channel == "mean" else params.data.channel
    detections = _read_detections(results / DETECTIONS)
    detections["file"] = [(root / file).as_posix() for file in detections.file]
    return ScoredWindows(
        bundle, *_thresholds(bundle), root,
        table[["recording_id", "file", "split", "site", "start", "seconds"]], recording,
        np.full(len(recording), channel), np.concatenate([one.starts for _, one in parts]),
        np.concatenate([one.scores for _, one in parts]), spread, is_test == has_test, detections,
    )  # fmt: skip


def _disagreement(folder: Path, backbones: list[str], folds: list[int], codes: list[str]) -> NDArray[np.float32]:
    """The disagreement of the members about the out-of-fold windows, then about the test windows."""

    def read(name: str, fold: int) -> list[Windows]:
        return [read_windows(folder / backbone / str(fold) / f"{name}.parquet", codes) for backbone in backbones]

    of_recording: dict[str, NDArray] = {}
    for fold in folds:
        members = read("oof", fold)
        spread = _spread(members)
        for name, first, last in zip(
            members[0].recording_ids, members[0].edges[:-1], members[0].edges[1:], strict=True
        ):
            # With the notebook's split, several folds leave out a recording; windows are in the order of the first.
            of_recording.setdefault(name, spread[first:last])
    test = _spread([windows for fold in folds for windows in read("test", fold)])
    return np.concatenate([*of_recording.values(), test]).astype(np.float32)


def _spread(members: list[Windows]) -> NDArray[np.float64]:
    return np.std([log_odds(windows.scores) for windows in members], axis=0)


def _thresholds(bundle: Bundle) -> tuple[WindowModel, WindowModel, NDArray[np.float64], float]:
    model, table = read_thresholds(bundle.thresholds, bundle.codes)
    settings = bundle.info.settings
    # Answers must not count twice.
    is_free = (table[RESTS_ON] == ANNOTATIONS).to_numpy()
    curves = Calibration(
        np.where(is_free, model.calibration.slopes, 1.0), np.where(is_free, model.calibration.offsets, 0.0)
    )
    prior = WindowModel(curves, np.where(is_free, model.prevalence, np.nan))
    seconds = to_seconds(Shapes.of(settings).window[0], settings.spectrogram)
    return model, prior, table.threshold.to_numpy(float), seconds


def _of_detect(output: Path, model: Path, asked: Sequence[str]) -> ScoredWindows:
    bundle = read_bundle(model)
    wanted = [code for code in bundle.codes if not asked or code in asked]
    detections = _read_detections(output / DETECTIONS)
    paths: list[Path] = []
    run = output / WINDOWS_FOLDER / RUN
    if run.exists():
        try:
            digest = json.loads(run.read_text(encoding="utf-8"))["model"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{run}: cannot be read: {error}; run `dawnchorus detect` again") from error
        if digest != bundle.scorer_digest:
            raise InputError(f"{output}: was not scored by {model}; name the model that was used with --model")
        paths = sorted((output / WINDOWS_FOLDER).rglob("*.parquet"))
    journal = Journal(output, bundle.codes)
    rows, scored, stamps = [], [], []
    for path in paths:
        name = path.relative_to(output / WINDOWS_FOLDER).with_suffix("").as_posix()
        stamp = journal.stamp(name)
        scored.append(journal.read(name, wanted))
        stamps.append(Path(stamp.path) if stamp is not None else Path(name))
        rows.append((name, scored[-1].start, scored[-1].seconds))
    places = detections.drop_duplicates("recording")
    if paths:
        places = read_table(output / SCORED_RECORDINGS, ["recording", "site"], may_be_empty=True, named_by=WRITTEN_BY)
    else:
        rows = [(row.recording, "", np.nan) for row in places.itertuples()]
        stamps = [Path(file) for file in places.file]
    known = known_files()
    found = [known.get(os.path.abspath(stamp), (name, "")) for stamp, (name, _, _) in zip(stamps, rows, strict=True)]
    table = pd.DataFrame(
        {
            "recording_id": [name for name, _ in found],
            "file": [_shown(stamp) for stamp in stamps],
            "split": [split for _, split in found],
            # A recording that only an earlier call searched has scores, but is in no table.
            "site": places.set_index("recording").site.reindex([name for name, _, _ in rows]).fillna("").to_numpy(),
            "start": [start for _, start, _ in rows],
            "seconds": [seconds for _, _, seconds in rows],
        }
    )
    recording = np.repeat(np.arange(len(scored)), [len(one.starts) for one in scored]).astype(int)
    # Columns that are never written take no memory.
    scores = np.zeros((len(recording), len(bundle.codes)), np.float32, order="F")
    for number, code in enumerate(wanted):
        if scored:
            np.concatenate([one.scores[:, number] for one in scored], out=scores[:, bundle.codes.index(code)])
    detections["file"] = [_shown(Path(file)) for file in detections.file]
    return ScoredWindows(
        bundle, *_thresholds(bundle), Path(os.path.commonpath([path.parent for path in stamps] or [output])), table,
        recording, np.concatenate([np.empty(0, int), *(one.channel for one in scored)]).astype(int),
        np.concatenate([np.empty(0), *(one.starts for one in scored)]), scores,
        np.broadcast_to(np.float32(0), scores.shape),
        np.ones(len(scores), bool), detections, is_whole=False,
    )  # fmt: skip


def _shown(path: Path) -> str:
    """A path relative to the working directory if it is below it."""
    path = Path(os.path.abspath(path))
    return (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path).as_posix()


def _read_detections(path: Path) -> pd.DataFrame:
    table = read_table(path, DETECTION_COLUMNS, may_be_empty=True, named_by=WRITTEN_BY).copy()
    for column in ("start_s", "end_s", "score"):
        table[column] = to_numbers(path, table, column)
    return table.reset_index(drop=True)


def clock_time(start: str, seconds: float) -> str:
    """The time of day at which a stretch starts: `start` of the recording (ISO 8601 or empty), and seconds after it."""
    if not start:
        return ""
    return (datetime.fromisoformat(start) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
