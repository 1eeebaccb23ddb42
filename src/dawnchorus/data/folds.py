"""Splitting recordings into folds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import bmat, csr_matrix, hstack
from scipy.sparse.csgraph import connected_components

from dawnchorus.errors import InputError
from dawnchorus.seeding import generator


def stratified_split(
    tp: pd.DataFrame,
    fp: pd.DataFrame,
    n_folds: int,
    seed: int,
    groups: pd.Series | None = None,
    silent: Sequence[str] = (),
) -> pd.Series:
    """Assign every annotated recording to one fold, with the TP rows of each species spread evenly over the folds.

    The unit is a whole recording with all its TP and FP rows, so no recording is in training and validation at once.
    The method is iterative stratification (Sechidis et al. 2011, doi:10.1007/978-3-642-23808-6_10). The species with
    the fewest remaining rows comes first, and each of its recordings goes to the fold with the fewest rows of that
    species. FP rows are spread in the same way after the TP rows.

    Args:
        tp: TP annotations with columns recording_id and species_id.
        fp: FP annotations with the same columns.
        n_folds: number of folds.
        seed: seed of the order in which ties are broken.
        groups: the group of each recording, indexed by recording_id, for example from `together`. If given, the unit
            is a group instead of a recording.
        silent: recordings without rows, which are spread evenly, too.

    Returns:
        The fold of each recording, an int series indexed and sorted by recording_id.

    Raises:
        InputError: a fold would have no TP rows.
    """
    if len(silent):
        # As if each had an FP row of one more species.
        beyond = 1 + np.concatenate([tp.species_id, fp.species_id]).max(initial=0)
        fp = pd.concat([fp, pd.DataFrame({"recording_id": silent, "species_id": beyond})], ignore_index=True)
    # Replace recording ids by integers: comparing text would dominate the run time of a large data set.
    number, names = pd.factorize(pd.concat([tp.recording_id, fp.recording_id]), sort=True)
    recordings = pd.Index(names, name="recording_id")
    unit_of, units = (
        (np.arange(len(recordings)), recordings) if groups is None else pd.factorize(recordings.map(groups), sort=True)
    )
    rows, is_tp = _count_labels(unit_of[number], len(units), tp.species_id, fp.species_id)
    n_rows = rows.sum(axis=0)
    fold_of = np.full(len(units), -1)
    in_fold = np.zeros((n_folds, rows.shape[1]), int)
    # Ties are broken in this order.
    order = generator(seed, "folds").permutation(len(units))
    rows = rows[order]
    by_label = np.ascontiguousarray(rows.T)
    for labels in (is_tp, ~is_tp):
        while (open_rows := (n_rows - in_fold.sum(axis=0))[labels]).any():
            label = np.flatnonzero(labels)[np.argmin(np.where(open_rows > 0, open_rows, n_rows.sum() + 1))]
            waiting = np.flatnonzero((fold_of < 0) & (by_label[label] > 0))
            for one in waiting[np.argsort(-by_label[label, waiting], kind="stable")]:
                # Fewest rows of this species, then fewest rows of all the unit's species, then fewest rows.
                shared = (in_fold * (rows[one] > 0)).sum(axis=1)
                fold = np.lexsort((in_fold.sum(axis=1), shared, in_fold[:, label]))[0]
                fold_of[one] = fold
                in_fold[fold] += rows[one]
    empty = np.flatnonzero(in_fold[:, is_tp].sum(axis=1) == 0)
    if len(empty):
        what = "recordings" if groups is None else "groups of recordings"
        raise InputError(
            f"fold {empty[0]} would have no TP rows: {(rows[:, is_tp].sum(axis=1) > 0).sum()} {what} with TP rows "
            f"cannot fill {n_folds} folds; shorten `folds` in params.yaml or annotate more recordings"
        )
    fold_of_unit = np.empty_like(fold_of)
    fold_of_unit[order] = fold_of
    return pd.Series(fold_of_unit[unit_of], index=recordings, name="fold")


def _count_labels(
    unit: NDArray[np.int64], n_units: int, tp_species: pd.Series, fp_species: pd.Series
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the rows of each unit and label. The labels are the FP species and then the TP species that have rows.

    Args:
        unit: the unit of each TP row, then of each FP row.
        n_units: number of units.
        tp_species: the species of each TP row.
        fp_species: the species of each FP row.

    Returns:
        The counts, shape [Units, Labels], and whether each label is TP, shape [Labels].
    """
    species = np.concatenate([tp_species.to_numpy(int), fp_species.to_numpy(int)])
    n_species = species.max(initial=0) + 1
    label, labels = pd.factorize(species + n_species * (np.arange(len(species)) < len(tp_species)), sort=True)
    counts = np.bincount(unit * len(labels) + label, minlength=n_units * len(labels))
    return counts.reshape(n_units, len(labels)), labels >= n_species


def together(*groupings: pd.Series) -> pd.Series:
    """Group recordings that share a value in any of the groupings, directly or through other recordings.

    Args:
        groupings: a value for each recording, indexed by recording_id; all groupings have the same recordings.

    Returns:
        The first recording of each recording's group, indexed by recording_id.
    """
    recordings = groupings[0].index
    rows = np.arange(len(recordings))
    codes = [pd.factorize(grouping.reindex(recordings))[0] for grouping in groupings]
    # The graph links each recording with its values.
    values = hstack([csr_matrix((np.ones(len(rows)), (rows, code))) for code in codes])
    _, part = connected_components(bmat([[None, values], [values.T, None]]), directed=False)
    return pd.Series(recordings, index=recordings).groupby(part[: len(rows)]).transform("first").rename("group")


def notebook_split(tp: pd.DataFrame, n_folds: int) -> pd.Series:
    """Split as the notebook intended: cut the rows of each species, in table order, into equal parts.

    The remainder of the division is never validated. The unit is a row, so a recording can be in several folds, and in
    training and validation at once. The split exists only for comparison.

    Args:
        tp: TP annotations with columns recording_id and species_id.
        n_folds: number of folds.

    Returns:
        The fold of each row of `tp`, an int series with the same index; -1 for rows that are never validated.

    Raises:
        InputError: no species has at least one row per fold.
    """
    rows = tp.groupby("species_id")
    place, part = rows.cumcount(), rows.recording_id.transform("size") // n_folds
    if not part.any():
        raise InputError(
            f"split.method notebook: no species has a TP row for each of {n_folds} folds; shorten `folds` in "
            "params.yaml, use the method stratified, or annotate more recordings"
        )
    return (place // part.clip(lower=1)).where(place < part * n_folds, -1).rename("fold")


def fold_report(tp: pd.DataFrame, fold_of_row: pd.Series, folds: pd.Series) -> pd.DataFrame:
    """Count the recordings that each fold trains on and validates, and those that leak from one into the other.

    Args:
        tp: TP annotations.
        fold_of_row: the fold in which each row of `tp` is validated; -1 for none.
        folds: the fold of each recording; one row per fold for a recording in several folds.

    Returns:
        One row per fold: fold, training_recordings, validation_recordings, validation_tp_rows, leaked_recordings
        (recordings in both training and validation), leaked_tp_rows (validation rows of leaked recordings).
    """
    number, names = pd.factorize(folds.index)
    number_of_row = names.get_indexer(tp.recording_id)
    rows = []
    for fold in sorted(set(folds) - {-1}):
        trained, validated = np.zeros(len(names), bool), np.zeros(len(names), bool)
        is_left_out = (folds == fold).to_numpy()
        trained[number[~is_left_out]] = True
        validated[number[is_left_out]] = True
        validated_rows = number_of_row[(fold_of_row == fold).to_numpy()]
        rows.append({
            "fold": fold,
            "training_recordings": int(trained.sum()),
            "validation_recordings": int(validated.sum()),
            "validation_tp_rows": len(validated_rows),
            "leaked_recordings": int((trained & validated).sum()),
            "leaked_tp_rows": int(trained[validated_rows].sum()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def count_recordings(tp: pd.DataFrame, species: Sequence[str]) -> pd.Series:
    """Count the recordings in which each species is present.

    Args:
        tp: TP annotations.
        species: the codes of the data set's species.

    Returns:
        The counts, an int series indexed by the codes.
    """
    counts = tp.groupby("species_id").recording_id.nunique().reindex(range(len(species)), fill_value=0)
    return counts.set_axis(list(species))


def rare_species(tp: pd.DataFrame, n_folds: int, species: Sequence[str]) -> list[str]:
    """List the species that are present in fewer recordings than there are folds.

    Args:
        tp: TP annotations.
        n_folds: number of folds.
        species: the codes of the data set's species.
    """
    counts = count_recordings(tp, species)
    return list(counts.index[counts < n_folds])


def count_rows(tp: pd.DataFrame, fp: pd.DataFrame, fold_of_row: pd.Series, species: Sequence[str]) -> pd.DataFrame:
    """Count the rows of each species.

    Args:
        tp: TP annotations.
        fp: FP annotations.
        fold_of_row: the fold in which each TP row is validated; -1 for none.
        species: the codes of the data set's species.

    Returns:
        One row per species: species, tp_rows, fp_rows, then tp_rows_0, tp_rows_1, ... for each fold.
    """
    everyone = range(len(species))
    table = pd.DataFrame({"species": species})
    table["tp_rows"] = tp.species_id.value_counts().reindex(everyone, fill_value=0)
    table["fp_rows"] = fp.species_id.value_counts().reindex(everyone, fill_value=0)
    for fold in sorted(set(fold_of_row) - {-1}):
        table[f"tp_rows_{fold}"] = tp.species_id[fold_of_row == fold].value_counts().reindex(everyone, fill_value=0)
    return table
