"""The ensemble: means of scores over folds and backbones."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.config.ensemble import Ensemble
from dawnchorus.data.score_tables import read_scores
from dawnchorus.errors import InputError
from dawnchorus.evaluation.box_metrics import macro_average_precision
from dawnchorus.inference.box_tables import read_boxes

# Weights that are tried are multiples of 1 / GRID.
GRID = 10


@dataclass(frozen=True)
class Predictions:
    """What a model, a backbone or the ensemble predicts.

    Attributes:
        test: clip scores of the test recordings, indexed by recording_id; the mean over folds.
        oof: clip scores of the annotated recordings, likewise, each by the model that has not seen it.
        boxes: their labelled boxes, as `box_tables.read_boxes` gives them.
    """

    test: pd.DataFrame
    oof: pd.DataFrame
    boxes: pd.DataFrame


def collect(
    folder: Path, backbones: Sequence[str], folds: Sequence[int], columns: list[str], settings: Ensemble
) -> tuple[dict[str, Predictions], dict[str, float]]:
    """Read the predictions of an experiment's models; other files in the folder are left alone.

    Args:
        folder: holds `<backbone>/<fold>/test.csv`, `oof.csv` and `boxes.csv`.
        backbones: names.
        folds: numbers.
        columns: the species columns.
        settings: how the backbones are averaged.

    Returns:
        The predictions of each backbone, and of the "ensemble", their weighted mean; and the backbones' weights.
        Weights that are chosen are, for a fold's out-of-fold scores, chosen on the other folds' boxes.
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
        """The weights of the backbones by all folds' boxes but one's."""
        if settings.weights == "equal":
            return np.full(len(backbones), 1 / len(backbones))
        boxes = {
            backbone: _once([model.boxes for other, model in enumerate(models) if other != number])
            for backbone, models in by_fold.items()
        }
        return choose_weights(boxes)

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


def combine(tables: dict[str, pd.DataFrame], weights: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """The weighted mean of tables of scores, joined on their index.

    Args:
        tables: by the name that an error shows (their file, or a backbone).
        weights: of the tables, their sum 1, shape [Tables]; by default they count alike.

    Returns:
        A table with the rows of the first, in its order.

    Raises:
        InputError: two tables hold different rows or species.
    """
    (first_name, first), *others = tables.items()
    aligned = [first]
    for name, table in others:
        if list(table.columns) != list(first.columns):
            raise InputError(f"{name}: has other species columns than {first_name}; run the predict stages again")
        # Most tables have the same order, and to see that is much faster than to look each row up.
        if table.index.equals(first.index):
            aligned.append(table)
            continue
        differing = first.index.symmetric_difference(table.index)
        if len(differing):
            raise InputError(
                f"{name}: {len(differing)} rows stand there or in {first_name} alone, for example {differing[0]!r}; "
                "run the predict stages again"
            )
        aligned.append(table.reindex(first.index))
    if weights is None:
        weights = np.full(len(aligned), 1 / len(aligned))
    weighted = [table * weight for table, weight in zip(aligned, weights, strict=True)]
    return functools.reduce(pd.DataFrame.add, weighted)


def choose_weights(boxes: dict[str, pd.DataFrame]) -> NDArray[np.float64]:
    """The weights by which the mean over backbones ranks TP above FP boxes best.

    All weights that are multiples of a tenth are tried; the highest `macro_average_precision` wins, of equals the one
    nearest to equal weights.

    Args:
        boxes: scored boxes by backbone.

    Returns:
        Shape [Backbones].
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
    """All rows of some tables; with the notebook's split a recording, left out by several models, gets their mean."""
    table = pd.concat(tables)
    if table.index.is_unique:
        return table
    return table.groupby(level=list(range(table.index.nlevels)), sort=False).mean()
