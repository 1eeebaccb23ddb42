"""The metrics of an experiment (`results/metrics.json`) and the average precision of each species."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.errors import InputError
from dawnchorus.evaluation.baselines import constant_precisions, random_precisions
from dawnchorus.evaluation.bootstrap import number_groups
from dawnchorus.evaluation.box_metrics import evaluate_boxes
from dawnchorus.evaluation.clip_metrics import Precisions, average_precisions, evaluate
from dawnchorus.seeding import generator

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
        The fields of `clip_metrics.Evaluation` for each name, rounded to six decimals. A NaN field is left out.

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
    return {name: _rounded(asdict(evaluation)) for name, evaluation in evaluations.items()}


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


def species_average_precision(ground_truth: GroundTruth | None, scores: pd.DataFrame) -> pd.DataFrame:
    """Compute the average precision of each species.

    Args:
        ground_truth: ground truth of the recordings to evaluate, or None if there is none.
        scores: clip scores, indexed by recording_id, with a column for each species.

    Returns:
        One row per species with the columns species and average_precision, rounded to six decimals; NaN if the labels
        do not determine it.
    """
    values = np.full(scores.shape[1], np.nan)
    if ground_truth is not None:
        values = average_precisions(
            ground_truth.truth, scores.loc[ground_truth.recording_ids].to_numpy(), ground_truth.mask
        )
    return pd.DataFrame({"species": scores.columns, "average_precision": values.round(6)})


def read_as_text(path: Path) -> str:
    """Read `metrics.json` and format it with `as_text`.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return as_text(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: is not a metrics file of this version: {type(error).__name__}: {error}; delete the file and "
            "repeat the command"
        ) from error


def as_text(metrics: dict[str, dict]) -> str:
    """Format `metrics.json` as a table: one row per submission, test metrics followed by out-of-fold metrics."""
    lines = _table(metrics) if "test" in metrics or "oof" in metrics else [NO_FIGURES]
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


def _cell(row: dict[str, float], key: str) -> str:
    return f"{row[key]:.3f}" if key in row else "-"
