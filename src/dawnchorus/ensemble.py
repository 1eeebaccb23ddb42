"""The ensemble: means of scores over folds and backbones."""

import functools
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.errors import InputError
from dawnchorus.tables import read_scores


def collect(
    folder: Path, backbones: Sequence[str], folds: Sequence[int], columns: list[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Read the predictions of an experiment's models; other files in the folder are left alone.

    Args:
        folder: holds `<backbone>/<fold>/test.csv` and `oof.csv`.
        backbones: names.
        folds: numbers.
        columns: the species columns.

    Returns:
        Score tables by backbone, and of the "ensemble", the mean over backbones: those of the test recordings, each the
        mean over folds, and those of the annotated recordings, each scored by the model that has not seen it.
    """
    test, oof = {}, {}
    for backbone in backbones:
        paths = [folder / backbone / str(fold) for fold in folds]
        test[backbone] = mean_scores(
            {str(path / "test.csv"): read_scores(path / "test.csv", columns) for path in paths}
        )
        by_fold = pd.concat([read_scores(path / "oof.csv", columns) for path in paths])
        # With the notebook's split a recording can be left out by several models.
        oof[backbone] = by_fold.groupby(level=0, sort=False).mean()
    for tables in (test, oof):
        tables["ensemble"] = mean_scores(dict(tables))
    return test, oof


def mean_scores(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The mean of score tables, joined on recording_id.

    Args:
        tables: score tables by the name that an error shows (their file), each indexed by recording_id.

    Returns:
        A table with the recordings of the first, in its order.

    Raises:
        InputError: two tables hold different recordings or species.
    """
    (first_name, first), *others = tables.items()
    for name, table in others:
        differing = first.index.symmetric_difference(table.index)
        if len(differing):
            raise InputError(
                f"{name}: {len(differing)} recordings stand there or in {first_name} alone, for example "
                f"{differing[0]!r}; run the infer stages again"
            )
        if list(table.columns) != list(first.columns):
            raise InputError(f"{name}: has other species columns than {first_name}; run the infer stages again")
    aligned = [table.loc[first.index] for table in tables.values()]
    return functools.reduce(pd.DataFrame.add, aligned) / len(aligned)
