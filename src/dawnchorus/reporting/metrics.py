"""The figures of an experiment: `results/figures.json`, and `results/metrics.json` with the few that people compare."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.errors import InputError
from dawnchorus.evaluation.baselines import constant_precisions, random_precisions
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.evaluation.box_metrics import evaluate_boxes
from dawnchorus.evaluation.clip_metrics import Precisions, evaluate
from dawnchorus.evaluation.species_intervals import macro_interval
from dawnchorus.evaluation.species_metrics import THRESHOLD, evaluate_species
from dawnchorus.seeding import generator

MOST_SHOWN = 10
BOX = "box_average_precision"
# Names in `metrics.json`.
SHORT = {"lwlrap": "lwlrap", "macro_average_precision": "macro_ap", BOX: "box_ap"}
NO_FIGURES = (
    "No metrics: no test recording has ground truth. Out-of-fold metrics require a single round of training and "
    "train.checkpoint: last; docs/metrics.md explains why"
)


def figures(
    ground_truth: GroundTruth,
    submissions: dict[str, pd.DataFrame],
    samples: int,
    seed: int,
    groups: pd.Series | None = None,
) -> dict[str, dict]:
    """Compute the metrics of submissions and of the baselines "constant" and "random".

    Args:
        ground_truth: ground truth of the recordings to evaluate.
        submissions: tables of clip scores by name, indexed by recording_id.
        samples: number of bootstrap resamplings.
        seed: seed of the bootstrap; all submissions use the same resamplings.
        groups: group of each recording, indexed by recording_id. If given, the bootstrap draws whole groups; otherwise
            it draws recordings. A recording with an empty group is a group of its own.

    Returns:
        The fields of `clip_metrics.Evaluation` for each name, rounded to six decimals, and for each submission the ends
        of the interval of its macro average precision. A NaN field is left out.

    Raises:
        KeyError: a recording of `ground_truth` is not in `groups`.
    """
    truth, mask, names = ground_truth.truth, ground_truth.mask, ground_truth.recording_ids
    precisions = {
        name: Precisions.of_scores(truth, table.loc[names].to_numpy(), mask) for name, table in submissions.items()
    }
    precisions["constant"] = constant_precisions(truth, mask)
    precisions["random"] = random_precisions(truth, mask)
    numbers = None if groups is None else number_groups(groups, names)
    evaluations = evaluate(precisions, truth, samples, generator(seed, "bootstrap"), numbers)
    rows = {name: asdict(evaluation) for name, evaluation in evaluations.items()}
    for name, table in submissions.items():
        scores = table.loc[names].to_numpy()
        low, high = macro_interval(truth, scores, mask, samples, generator(seed, "bootstrap"), numbers)
        rows[name] |= {"macro_average_precision_low": low, "macro_average_precision_high": high}
    return {name: _rounded(row) for name, row in rows.items()}


def box_figures(
    boxes: dict[str, pd.DataFrame], samples: int, seed: int, groups: pd.Series | None = None
) -> dict[str, dict]:
    """Compute the metrics of box scores.

    Args:
        boxes: box scores by the name of the submission, as from `box_tables.read_boxes`.
        samples: number of bootstrap resamplings.
        seed: seed of the bootstrap; all submissions use the same resamplings.
        groups: as in `figures`.

    Returns:
        The fields of `box_metrics.BoxEvaluation` for each name, rounded to six decimals. A NaN field is left out.

    Raises:
        KeyError: a recording with boxes is not in `groups`.
    """
    return {
        name: _rounded(asdict(evaluate_boxes(table, samples, generator(seed, "bootstrap"), groups)))
        for name, table in boxes.items()
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 6) for key, value in values.items() if not np.isnan(value)}


def species_figures(ground_truth: GroundTruth, submissions: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """Compute the means over species of the metrics in `species_metrics`.

    Args:
        ground_truth: ground truth of the recordings to evaluate.
        submissions: tables of clip scores by name, indexed by recording_id.

    Returns:
        Those that `SpeciesMetrics.macro` has for each name, rounded to six decimals.
    """
    truth, mask, names = ground_truth.truth, ground_truth.mask, ground_truth.recording_ids
    return {
        name: _rounded(evaluate_species(truth, table.loc[names].to_numpy(), mask).macro())
        for name, table in submissions.items()
    }


def compared(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Select the few figures of the ensemble that people compare, for `results/metrics.json`.

    DVC shows each as a column or a row, so their names are short. LWLRAP and macro average precision are those of the
    test recordings, or out of fold where the ground truth of these is unknown.

    Args:
        metrics: the content of `figures.json`.
    """
    sets = [key for key in ("test", "oof") if key in metrics]
    names = {key: list(SHORT) if number == 0 else [BOX] for number, key in enumerate(sets)}
    chosen = {
        key: {SHORT[name]: value for name, value in metrics[key]["ensemble"].items() if name in names[key]}
        for key in sets
    }
    return {key: row for key, row in chosen.items() if row}


def ensemble_figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """All figures of the ensemble, such as "test.lwlrap", from the content of `figures.json`."""
    return {
        f"{part}.{name}": value
        for part in ("test", "oof", "complete")
        for name, value in metrics.get(part, {}).get("ensemble", {}).items()
    }


def read_as_text(path: Path) -> str:
    """Read `figures.json` and format it with `as_text`.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return as_text(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: is not a file of figures of this version: {type(error).__name__}: {error}; delete the file and "
            "repeat the command"
        ) from error


def as_text(metrics: dict[str, dict]) -> str:
    """Format `figures.json` as a table: one row per submission, test metrics followed by out-of-fold metrics."""
    lines = _table(metrics) if "test" in metrics or "oof" in metrics else [NO_FIGURES]
    if "complete" in metrics:
        lines.append(_complete(metrics["complete"]["ensemble"]))
    if rare := metrics.get("rare_species"):
        shown = f"{len(rare)} species; see results/species_metrics.csv" if len(rare) > MOST_SHOWN else ", ".join(rare)
        lines.append(
            "present in fewer training recordings than there are folds, so some folds validate none of their calls or "
            f"train on none: {shown}"
        )
    skipped = metrics["skipped"]
    if skipped["recordings"]:
        lines.append(
            f"{skipped['recordings']} unusable recordings were skipped, with {skipped['tp_rows']} TP rows and "
            f"{skipped['fp_rows']} FP rows; see the column `problem` in data/recordings.csv"
        )
    if skipped["copies"]:
        lines.append(
            f"{skipped['copies']} test recordings contain the same sound as a training recording and do not count in "
            "test metrics"
        )
    return "\n".join(lines)


def _table(metrics: dict[str, dict]) -> list[str]:
    sets = [name for name in ("test", "oof") if name in metrics]
    titles = {"test": "test", "oof": "out of fold"}
    headings = [f"  {titles[name] + ' LWLRAP (95 %)':<30}{'macro AP':<8}" for name in sets]
    has_boxes = "oof" in sets
    lines = [" " * 14 + "".join(headings) + ("  box AP  box AUC" if has_boxes else "")]
    for submission in metrics[sets[0]]:
        cells = []
        for name in sets:
            row = metrics[name][submission]
            interval = f"({row['lwlrap_low']:.3f} to {row['lwlrap_high']:.3f})"
            cells.append(f"  {row['lwlrap']:.3f} {interval:<24}{_cell(row, 'macro_average_precision'):<8}")
        if has_boxes:
            found = metrics["oof"][submission]
            cells.append(f"  {_cell(found, 'box_average_precision'):<8}{_cell(found, 'box_auc'):<7}")
        lines.append(f"{submission:<14}" + "".join(cells))
    return lines


def _complete(row: dict[str, float]) -> str:
    figures = {
        "macro AP": "macro_average_precision",
        "precision": f"macro_precision_at_{THRESHOLD}",
        "recall": f"macro_recall_at_{THRESHOLD}",
    }
    shown = ", ".join(f"{title} {_cell(row, key)}" for title, key in figures.items())
    return (
        f"ensemble out of fold in {row['recordings']} completely annotated recordings, mean over species: {shown} "
        f"(at score {THRESHOLD})"
    )


def _cell(row: dict[str, float], key: str) -> str:
    return f"{row[key]:.3f}" if key in row else "-"
