"""The figures of an experiment: `results/metrics.json` and the average precision of each species."""

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
    "No figures: no test recording has ground truth, and out-of-fold figures need a single round of training and "
    "train.checkpoint: last; docs/metrics.md says why"
)


def figures(
    ground_truth: GroundTruth,
    submissions: dict[str, pd.DataFrame],
    samples: int,
    seed: int,
    groups: pd.Series | None = None,
) -> dict[str, dict]:
    """The figures of submissions, and beside them those of a constant and of a random one.

    Args:
        ground_truth: the truth.
        submissions: score tables by name, indexed by recording_id.
        samples: of the bootstrap.
        seed: of the bootstrap; all submissions are resampled alike.
        groups: the group of each recording, indexed by recording_id: the bootstrap then draws whole groups. By default
            it draws recordings. A recording with an empty group is a group of its own.

    Returns:
        The fields of `clip_metrics.Evaluation`, rounded to six digits, by name; one that has no value is left out.

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
    """The figures of labelled boxes.

    Args:
        boxes: as `box_tables.read_boxes` gives them, by the name of the submission.
        samples: of the bootstrap.
        seed: of the bootstrap; all are resampled alike.
        groups: as in `figures`.

    Returns:
        The fields of `box_metrics.BoxEvaluation`, as in `figures`.

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
    """A row for each species: species, average_precision (empty where no labels give one)."""
    values = np.full(scores.shape[1], np.nan)
    if ground_truth is not None:
        values = average_precisions(
            ground_truth.truth, scores.loc[ground_truth.recording_ids].to_numpy(), ground_truth.mask
        )
    return pd.DataFrame({"species": scores.columns, "average_precision": values.round(6)})


def read_as_text(path: Path) -> str:
    """What `as_text` gives of a file.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return as_text(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: holds no metrics of this version: {type(error).__name__}: {error}; delete it and run again"
        ) from error


def as_text(metrics: dict[str, dict]) -> str:
    """`metrics.json` as a small table: a row for each submission, test figures beside out-of-fold ones."""
    lines = _table(metrics) if "test" in metrics or "oof" in metrics else [NO_FIGURES]
    skipped = metrics["skipped"]
    if skipped["recordings"]:
        lines.append(
            f"{skipped['recordings']} recordings could not be used and were skipped, with {skipped['tp_rows']} TP and "
            f"{skipped['fp_rows']} FP rows; the column problem of data/audio.csv says why"
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
