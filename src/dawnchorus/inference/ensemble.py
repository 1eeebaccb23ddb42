"""The ensemble: the mean of scores over folds and backbones."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.ensemble import Ensemble
from dawnchorus.data.score_tables import read_scores
from dawnchorus.errors import InputError
from dawnchorus.evaluation.box_metrics import macro_average_precision
from dawnchorus.inference.box_tables import read_boxes
from dawnchorus.inference.window_tables import Windows, join_windows, read_windows

# Candidate weights are multiples of 1 / GRID.
GRID = 10


@dataclass(frozen=True)
class Predictions:
    """Scores of one model, of one backbone or of the ensemble.

    Attributes:
        test: clip scores of the test recordings, indexed by recording_id; for a backbone, the mean over folds.
        oof: out-of-fold clip scores of the annotated recordings, indexed by recording_id.
        boxes: out-of-fold scores of their boxes, as from `box_tables.read_boxes`.
    """

    test: pd.DataFrame
    oof: pd.DataFrame
    boxes: pd.DataFrame


def collect(
    folder: Path, backbones: Sequence[str], folds: Sequence[int], columns: list[str], settings: Ensemble
) -> tuple[dict[str, Predictions], dict[str, float]]:
    """Read the predictions of an experiment's models and combine them. Other files in the folder are ignored.

    With `settings.weights: out_of_fold`, the out-of-fold scores of a fold are combined with weights that are chosen on
    the boxes of the other folds.

    Args:
        folder: contains `<backbone>/<fold>/test.csv`, `oof.csv` and `boxes.csv`.
        backbones: names of the backbones.
        folds: numbers of the folds.
        columns: the species columns.
        settings: how to weight the backbones.

    Returns:
        The predictions of each backbone and of the "ensemble", by name; and the weight of each backbone for the test
        scores.

    Raises:
        InputError: a file is missing or damaged, or two files have different rows or species.
    """
    found, by_fold = {}, {}
    for backbone in backbones:
        paths = [folder / backbone / str(fold) for fold in folds]
        models = by_fold[backbone] = [_read(path, columns) for path in paths]
        found[backbone] = Predictions(
            combine({str(path / "test.csv"): model.test for path, model in zip(paths, models, strict=True)}),
            _once([model.oof for model in models]),
            _once([model.boxes for model in models]),
        )

    def weights(number: int | None) -> NDArray[np.float64]:
        """The weights of the backbones, chosen on the boxes of all folds except the one at this index."""
        boxes = {
            backbone: [model.boxes for other, model in enumerate(models) if other != number]
            for backbone, models in by_fold.items()
        }
        return _weights(boxes, settings.weights)

    oof, boxes = [], []
    for number in range(len(folds)):
        chosen = weights(number)
        left_out = {backbone: by_fold[backbone][number] for backbone in backbones}
        oof.append(combine({name: model.oof for name, model in left_out.items()}, chosen))
        boxes.append(combine({name: model.boxes for name, model in left_out.items()}, chosen))
    chosen = weights(None)
    test = combine({name: one.test for name, one in found.items()}, chosen)
    found["ensemble"] = Predictions(test, _once(oof), _once(boxes))
    return found, dict(zip(backbones, chosen.tolist(), strict=True))


def read_weights(folder: Path, backbones: Sequence[str], folds: Sequence[int], method: str) -> dict[str, float]:
    """Read box scores and choose from them the weights of the backbones that `collect` returns.

    Args:
        folder: as in `collect`.
        backbones: as in `collect`.
        folds: as in `collect`.
        method: the parameter `ensemble.weights`.

    Raises:
        InputError: as in `collect`.
    """
    boxes = {
        backbone: [read_boxes(folder / backbone / str(fold) / "boxes.csv") for fold in folds] for backbone in backbones
    }
    return dict(zip(backbones, _weights(boxes, method).tolist(), strict=True))


def _weights(boxes: dict[str, list[pd.DataFrame]], method: str) -> NDArray[np.float64]:
    """Weights of backbones from their box scores, a table for each fold."""
    if method == "equal":
        return np.full(len(boxes), 1 / len(boxes))
    return choose_weights({backbone: _once(tables) for backbone, tables in boxes.items()})


@dataclass(frozen=True)
class EnsembleWindows:
    """Window scores of the ensemble.

    Attributes:
        oof: out-of-fold scores of the annotated recordings, by the backbones of one fold each.
        test: scores of the test recordings by all models.
        test_by_fold: the same by the backbones of each fold.
    """

    oof: Windows
    test: Windows
    test_by_fold: list[Windows]


def collect_windows(
    folder: Path, weights: dict[str, float], folds: Sequence[int], species: Sequence[str]
) -> EnsembleWindows:
    """Read the window scores of an experiment's models and combine them.

    Args:
        folder: contains `<backbone>/<fold>/test.parquet` and `oof.parquet`.
        weights: weight of each backbone, with a sum of 1.
        folds: numbers of the folds.
        species: the codes of the species.

    Raises:
        InputError: a file is missing or damaged, or two files have different windows.
    """

    def of_fold(fold: int, name: str) -> Windows:
        paths = [folder / backbone / str(fold) / f"{name}.parquet" for backbone in weights]
        return combine_windows({path: read_windows(path, species) for path in paths}, list(weights.values()))

    test = {folder / str(fold): of_fold(fold, "test") for fold in folds}
    oof = [of_fold(fold, "oof") for fold in folds]
    return EnsembleWindows(join_windows(oof), combine_windows(test, [1 / len(folds)] * len(folds)), list(test.values()))


def combine_windows(tables: dict[Path, Windows], weights: Sequence[float]) -> Windows:
    """Compute the weighted mean of scores of the same windows.

    Args:
        tables: scores by the file that errors show.
        weights: weights of the tables, with a sum of 1.

    Raises:
        InputError: two tables have different windows.
    """
    (first_path, first), *others = tables.items()
    for path, table in others:
        if table.recording_ids != first.recording_ids or not np.array_equal(table.starts, first.starts):
            raise InputError(f"{path}: has other windows than {first_path}; run the predict stages again")
    scores = sum(weight * table.scores for weight, table in zip(weights, tables.values(), strict=True))
    # Rounded weights of saturated scores may add up to more than 1.
    return replace(first, scores=np.minimum(np.asarray(scores, np.float32), 1))


def combine(tables: dict[str, pd.DataFrame], weights: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """Compute the weighted mean of score tables, joined on their index.

    Args:
        tables: tables by the name that errors show: a file or a backbone.
        weights: weights of the tables with a sum of 1, shape [Tables]; equal by default.

    Returns:
        A table with the rows of the first table, in the same order.

    Raises:
        InputError: two tables have different rows or species.
    """
    (first_name, first), *others = tables.items()
    aligned = [first]
    for name, table in others:
        if list(table.columns) != list(first.columns):
            raise InputError(f"{name}: has different species columns than {first_name}; run the predict stages again")
        # Most tables have the same order. Checking that is much faster than looking up each row.
        if table.index.equals(first.index):
            aligned.append(table)
            continue
        differing = first.index.symmetric_difference(table.index)
        if len(differing):
            raise InputError(
                f"{name}: {len(differing)} rows are only in this file or only in {first_name}, for example "
                f"{differing[0]!r}; run the predict stages again"
            )
        aligned.append(table.reindex(first.index))
    if weights is None:
        weights = np.full(len(aligned), 1 / len(aligned))
    weighted = [table * weight for table, weight in zip(aligned, weights, strict=True)]
    return functools.reduce(pd.DataFrame.add, weighted)


def choose_weights(boxes: dict[str, pd.DataFrame]) -> NDArray[np.float64]:
    """Choose the weights of backbones that maximize `macro_average_precision` of the combined box scores.

    The candidates are all weights that are multiples of 0.1 and have a sum of 1. Among equally good candidates, the one
    closest to equal weights is chosen.

    Args:
        boxes: box scores of each backbone, as from `box_tables.read_boxes`.

    Returns:
        Weights with a sum of 1, shape [Backbones].
    """
    places = itertools.combinations(range(GRID + len(boxes) - 1), len(boxes) - 1)
    tried = [np.diff([-1, *place, GRID + len(boxes) - 1]) - 1 for place in places]
    nearest_first = sorted(tried, key=lambda parts: float((parts**2).sum()))
    return max(nearest_first, key=lambda parts: macro_average_precision(combine(boxes, parts / GRID))) / GRID


def _read(folder: Path, columns: list[str]) -> Predictions:
    return Predictions(
        read_scores(folder / "test.csv", columns, may_be_empty=True),
        read_scores(folder / "oof.csv", columns),
        read_boxes(folder / "boxes.csv"),
    )


def _once(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables. Rows with the same index are averaged.

    With the notebook's split, several models leave out the same recording.
    """
    table = pd.concat(tables)
    if table.index.is_unique:
        return table
    return table.groupby(level=list(range(table.index.nlevels)), sort=False).mean()
