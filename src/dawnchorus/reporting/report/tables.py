"""What the report is made of: the tables of an experiment, read from its folders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import read_annotations, read_uncertain
from dawnchorus.data.complete import read_complete
from dawnchorus.data.ground_truth import read_ground_truth
from dawnchorus.data.recordings import read_recordings
from dawnchorus.data.score_tables import read_scores
from dawnchorus.data.species import read_species_names
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.data.tables import read_table, to_numbers, to_numbers_or_nan
from dawnchorus.errors import InputError
from dawnchorus.inference.detections import COLUMNS as DETECTION_COLUMNS
from dawnchorus.inference.ensemble import EnsembleWindows, collect, collect_windows, read_weights
from dawnchorus.inference.reliability_tables import read_reliability
from dawnchorus.inference.threshold_tables import read_thresholds
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.results import Recordings

CURVE = ["epoch", "loss", "validation_lwlrap", "validation_precision"]
# Sets of recordings that figures may be of, and what `skipped` counts.
FIGURE_SETS = ("test", "oof", "complete")
SKIPPED = ("recordings", "tp_rows", "fp_rows", "copies")
COUNTS = ["training_recordings", "test_present", "test_recordings"]


@dataclass(frozen=True)
class Experiment:
    """An experiment's parameters, tables and scores.

    Attributes:
        params: the parameters.
        species: code, scientific and common name, in the order of scores.
        all_recordings: every recording, also unusable and unlabelled ones, with the column site; not indexed, because a
            recording of each split may have the same id.
        recordings: the tables about annotated and test recordings.
        remarks: what was odd about the data set, a line each.
        figures: the content of `results/figures.json`.
        species_metrics: average_precision and the columns `COUNTS`, a row per species.
        thresholds: as from `threshold_tables.read_thresholds`.
        reliability: as from `reliability_tables.read_reliability`.
        detections: start_s, end_s, score, probability and threshold are floats, and the other columns text.
        curves: learning curves with round, member, fold and the columns `CURVE`; NaN where there is no validation.
        test_scores: clip scores of the test recordings by the ensemble, indexed by recording_id.
        oof_scores: the same of the annotated recordings, out of fold.
        supervised: window scores by models that learned from annotations alone: of the first round.
        test_windows: window scores of the test recordings by the ensemble.
    """

    params: Params
    species: pd.DataFrame
    all_recordings: pd.DataFrame
    recordings: Recordings
    remarks: list[str]
    figures: dict[str, Any]
    species_metrics: pd.DataFrame
    thresholds: pd.DataFrame
    reliability: pd.DataFrame
    detections: pd.DataFrame
    curves: pd.DataFrame
    test_scores: pd.DataFrame
    oof_scores: pd.DataFrame
    supervised: EnsembleWindows
    test_windows: Windows

    @property
    def windows(self) -> Windows:
        """Window scores of the annotated recordings by models that learned nothing from them."""
        return self.supervised.oof


def read_experiment(params: Params, data: Path, results: Path, figures: Path) -> Experiment:
    """Read all that the report shows.

    Args:
        params: the parameters.
        data: folder with recordings.csv and the other tables, and splits/.
        results: folder with the results of the stages.
        figures: JSON with the figures of each member, of the ensemble and of the baselines.

    Raises:
        InputError: a file is missing or damaged.
    """
    names = read_species_names(data / "species.csv")
    codes = list(names.species)
    last = results / "predictions" / params.rounds[-1].id
    predictions, _ = collect(last, params.members, params.folds, codes, params.ensemble)
    shipped = _windows(last, params, codes)
    is_single = len(params.rounds) == 1
    supervised = shipped if is_single else _windows(results / "supervised" / params.rounds[0].id, params, codes)
    return Experiment(
        params,
        names.reset_index(drop=True),
        read_recordings(data / "recordings.csv", ["site"]).reset_index(),
        Recordings(
            read_annotations(data / "annotations.csv", codes),
            read_recordings(data / f"splits/{TRAIN}.csv"),
            read_recordings(data / f"splits/{TEST}.csv"),
            read_ground_truth(data / "ground_truth.csv", codes),
            read_uncertain(data / "annotations.csv", codes),
            read_complete(data / "complete.csv", codes),
        ),
        (data / "remarks.txt").read_text(encoding="utf-8").splitlines(),
        read_figures(figures),
        read_species_metrics(results / "species_metrics.csv"),
        read_thresholds(results / "thresholds.csv", codes)[1],
        read_reliability(results / "reliability.csv"),
        read_detections(results / "detections.csv"),
        read_curves(results / "curves", params),
        read_scores(results / "scores/ensemble.csv", codes, may_be_empty=True),
        predictions["ensemble"].oof,
        supervised,
        shipped.test,
    )


def _windows(folder: Path, params: Params, codes: list[str]) -> EnsembleWindows:
    weights = read_weights(folder, params.members, params.folds, params.ensemble.weights)
    return collect_windows(folder, weights, params.folds, codes)


def read_figures(path: Path) -> dict[str, Any]:
    """Read the figures of members, ensemble and baselines.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}; repeat the stage ensemble") from error
    if not _has_figures(found):
        raise InputError(f"{path}: is not a file of figures of this version; repeat the stage ensemble")
    return found


def _has_figures(found: Any) -> bool:
    """Whether a value has what the report reads: numbers by set, member and name, and counts of what was skipped."""
    if not isinstance(found, dict) or not _are_numbers(found.get("skipped"), SKIPPED):
        return False
    sets = [found[name] for name in FIGURE_SETS if name in found]
    return all(
        isinstance(members, dict) and "ensemble" in members and all(map(_are_numbers, members.values()))
        for members in sets
    )


def _are_numbers(found: Any, required: Sequence[str] = ()) -> bool:
    return (
        isinstance(found, dict)
        and set(required) <= found.keys()
        and all(isinstance(value, int | float) for value in found.values())
    )


def read_species_metrics(path: Path) -> pd.DataFrame:
    """Read species, average_precision (NaN where it is unknown) and the columns `COUNTS` of `species_metrics.csv`.

    Raises:
        InputError: the table is missing or damaged.
    """
    columns = ["species", "average_precision", *COUNTS]
    table = read_table(path, columns, numbers=columns[1:], named_by="the stage ensemble writes it")[columns].copy()
    table["average_precision"] = to_numbers_or_nan(path, table, "average_precision")
    for column in COUNTS:
        table[column] = to_numbers(path, table, column).astype(int)
    return table.reset_index(drop=True)


def read_detections(path: Path) -> pd.DataFrame:
    """Read `detections.csv`, which may have no rows.

    Raises:
        InputError: the table is missing or damaged.
    """
    numbers = ["start_s", "end_s", "score", "probability", "threshold"]
    table = read_table(
        path, DETECTION_COLUMNS, may_be_empty=True, numbers=numbers, named_by="the stage find_detections writes it"
    )[DETECTION_COLUMNS].copy()
    for column in numbers:
        table[column] = to_numbers_or_nan(path, table, column)
    return table.reset_index(drop=True)


def read_curves(folder: Path, params: Params) -> pd.DataFrame:
    """Read the learning curves of all rounds, backbones and folds. Heads on embeddings have none.

    Args:
        folder: contains `<round>/<backbone>/<fold>.csv`.
        params: the parameters.

    Raises:
        InputError: a file is missing or damaged.
    """
    tables = [pd.DataFrame({name: pd.Series(dtype=object if name in ("round", "member") else float)
                            for name in ("round", "member", "fold", *CURVE)})]  # fmt: skip
    for each in params.rounds:
        for member in params.backbones:
            for fold in params.folds:
                path = folder / each.id / member / f"{fold}.csv"
                table = read_table(path, CURVE, numbers=CURVE, named_by="the stage train writes it")[CURVE].copy()
                for column in CURVE:
                    table[column] = to_numbers_or_nan(path, table, column)
                tables.append(table.assign(round=each.id, member=member, fold=fold))
    found = [table for table in tables if len(table)]
    return pd.concat(found, ignore_index=True) if found else tables[0]


def displayed_names(species: pd.DataFrame) -> list[str]:
    """What the page calls each species: its common name, else its scientific name, else (or if repeated) its code.

    Args:
        species: the columns species, scientific_name and common_name.
    """
    names = species.common_name.where(species.common_name != "", species.scientific_name)
    names = names.where((names != "") & ~names.duplicated(keep=False), species.species)
    return list(np.asarray(names, dtype=str).tolist())
