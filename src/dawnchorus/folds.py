"""Splitting recordings into folds."""

import numpy as np
import pandas as pd

from dawnchorus.errors import InputError
from dawnchorus.seeding import generator


def assign_folds(tp: pd.DataFrame, fp: pd.DataFrame, n_folds: int, seed: int) -> pd.Series:
    """Put every annotated recording into one fold, each species' TP rows spread evenly over the folds.

    Recordings are the unit, over TP and FP together, so no recording is ever in training and validation at once.
    Iterative stratification: the species with the fewest rows left comes first, and each of its recordings goes where
    that species is missed most (Sechidis et al. 2011, doi:10.1007/978-3-642-23808-6_10). FP rows are spread likewise
    after the TP rows.

    Args:
        tp: TP annotations with columns recording_id and species_id.
        fp: FP annotations, likewise.
        n_folds: number of folds.
        seed: of the order among equals.

    Returns:
        An int series, the fold of each recording, indexed and sorted by recording_id.

    Raises:
        InputError: a fold would have no TP rows.
    """
    both = pd.concat([tp.assign(kind="tp"), fp.assign(kind="fp")])
    counts = pd.crosstab(both.recording_id, [both.kind, both.species_id])
    rows = counts.to_numpy()
    is_tp = counts.columns.get_level_values("kind") == "tp"
    fold_of = np.full(len(counts), -1)
    in_fold = np.zeros((n_folds, rows.shape[1]), int)
    rng = generator(seed, "folds")
    order = rng.permutation(len(counts))
    for group in (is_tp, ~is_tp):
        while (open_rows := rows[fold_of < 0][:, group].sum(axis=0)).any():
            label = np.flatnonzero(group)[np.argmin(np.where(open_rows > 0, open_rows, rows.sum() + 1))]
            waiting = [one for one in order if fold_of[one] < 0 and rows[one, label] > 0]
            for one in sorted(waiting, key=lambda one: -rows[one, label]):
                # Fewest rows of this species, then fewest rows of all the recording's species, then fewest rows.
                shared = (in_fold * (rows[one] > 0)).sum(axis=1)
                fold = np.lexsort((in_fold.sum(axis=1), shared, in_fold[:, label]))[0]
                fold_of[one] = fold
                in_fold[fold] += rows[one]
    empty = np.flatnonzero(in_fold[:, is_tp].sum(axis=1) == 0)
    if len(empty):
        raise InputError(
            f"fold {empty[0]} would have no TP rows: {tp.recording_id.nunique()} recordings with TP rows "
            f"cannot fill {n_folds} folds; shorten `folds` in params.yaml or annotate more recordings"
        )
    return pd.Series(fold_of, index=counts.index, name="fold").sort_index()


def count_rows(tp: pd.DataFrame, fp: pd.DataFrame, folds: pd.Series, n_species: int) -> pd.DataFrame:
    """How many rows each species has.

    Args:
        tp: TP annotations.
        fp: FP annotations.
        folds: the fold of each recording.
        n_species: number of species of the data set.

    Returns:
        A row for each species: species, tp_rows, fp_rows, then tp_rows_0, tp_rows_1, ... for each fold.
    """
    everyone = range(n_species)
    table = pd.DataFrame({"species": [f"s{number}" for number in everyone]})
    table["tp_rows"] = tp.species_id.value_counts().reindex(everyone, fill_value=0)
    table["fp_rows"] = fp.species_id.value_counts().reindex(everyone, fill_value=0)
    fold_of_row = tp.recording_id.map(folds)
    for fold in sorted(folds.unique()):
        table[f"tp_rows_{fold}"] = tp.species_id[fold_of_row == fold].value_counts().reindex(everyone, fill_value=0)
    return table
