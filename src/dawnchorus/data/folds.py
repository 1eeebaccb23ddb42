"""Splitting recordings into folds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import bmat, csr_matrix, hstack
from scipy.sparse.csgraph import connected_components

from dawnchorus.errors import InputError
from dawnchorus.seeding import generator


def stratified_split(
    tp: pd.DataFrame, fp: pd.DataFrame, n_folds: int, seed: int, groups: pd.Series | None = None
) -> pd.Series:
    """Put every annotated recording into one fold, each species' TP rows as evenly as whole recordings allow.

    Recordings are the unit, over TP and FP together, so no recording is ever in training and validation at once.
    Iterative stratification: the species with the fewest rows left comes first, and each of its recordings goes where
    that species is missed most (Sechidis et al. 2011, doi:10.1007/978-3-642-23808-6_10). FP rows are spread likewise
    after the TP rows.

    Args:
        tp: TP annotations with columns recording_id and species_id.
        fp: FP annotations, likewise.
        n_folds: number of folds.
        seed: of the order among equals.
        groups: the group of each recording, indexed by recording_id: groups are then the unit instead of recordings,
            for example `together`.

    Returns:
        An int series, the fold of each recording, indexed and sorted by recording_id.

    Raises:
        InputError: a fold would have no TP rows.
    """
    both = pd.concat([tp.assign(kind="tp"), fp.assign(kind="fp")])
    unit = both.recording_id if groups is None else both.recording_id.map(groups)
    sizes = both.groupby([unit, both.kind, both.species_id]).size()
    # A pivot table takes thirty times as long.
    counts = sizes.unstack([1, 2], fill_value=0).sort_index(axis=1)  # noqa: PD010
    rows = counts.to_numpy()
    is_tp = counts.columns.get_level_values("kind") == "tp"
    fold_of = np.full(len(counts), -1)
    in_fold = np.zeros((n_folds, rows.shape[1]), int)
    rng = generator(seed, "folds")
    order = rng.permutation(len(counts))
    for labels in (is_tp, ~is_tp):
        while (open_rows := rows[fold_of < 0][:, labels].sum(axis=0)).any():
            label = np.flatnonzero(labels)[np.argmin(np.where(open_rows > 0, open_rows, rows.sum() + 1))]
            waiting = order[(fold_of[order] < 0) & (rows[order, label] > 0)]
            for one in waiting[np.argsort(-rows[waiting, label], kind="stable")]:
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
    fold_of_unit = pd.Series(fold_of, index=counts.index)
    recordings = pd.Index(both.recording_id.unique(), name="recording_id").sort_values()
    units = recordings if groups is None else recordings.map(groups)
    return pd.Series(fold_of_unit[units].to_numpy(), index=recordings, name="fold")


def together(*groupings: pd.Series) -> pd.Series:
    """The groups of recordings that share a value in any of some groupings, directly or through others.

    Args:
        groupings: a value for each recording, indexed by recording_id; all of the same recordings.

    Returns:
        The first recording of each one's group, indexed by recording_id.
    """
    recordings = groupings[0].index
    rows = np.arange(len(recordings))
    codes = [pd.factorize(grouping.reindex(recordings))[0] for grouping in groupings]
    # Recordings are linked with the values that they have.
    values = hstack([csr_matrix((np.ones(len(rows)), (rows, code))) for code in codes])
    _, part = connected_components(bmat([[None, values], [values.T, None]]), directed=False)
    return pd.Series(recordings, index=recordings).groupby(part[: len(rows)]).transform("first").rename("group")


def notebook_split(tp: pd.DataFrame, n_folds: int) -> pd.Series:
    """The split that the notebook meant: the rows of each species in table order, cut into equal parts.

    What is left over by the division is never validated. Rows are the unit, so a recording can stand in several folds,
    in training and validation at once; it is here to compare with.

    Args:
        tp: TP annotations with columns recording_id and species_id.
        n_folds: number of folds.

    Returns:
        An int series, the fold of each row of `tp`, indexed as it is; -1 for rows that are never validated.

    Raises:
        InputError: no species has a row for each fold.
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
    """What each fold trains on and validates, and what leaks from one into the other.

    Args:
        tp: TP annotations.
        fold_of_row: the fold in which each of their rows is validated, -1 for none.
        folds: the fold of each recording; a row for each of its folds where it has several.

    Returns:
        A row for each fold: fold, training_recordings, validation_recordings, validation_tp_rows, leaked_recordings
        (in training and validation), leaked_tp_rows (validation rows of these).
    """
    rows = []
    for fold in sorted(set(folds) - {-1}):
        trained, validated = set(folds.index[folds != fold]), set(folds.index[folds == fold])
        is_validated = fold_of_row == fold
        rows.append({
            "fold": fold,
            "training_recordings": len(trained),
            "validation_recordings": len(validated),
            "validation_tp_rows": int(is_validated.sum()),
            "leaked_recordings": len(trained & validated),
            "leaked_tp_rows": int((is_validated & tp.recording_id.isin(trained)).sum()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def count_rows(tp: pd.DataFrame, fp: pd.DataFrame, fold_of_row: pd.Series, species: Sequence[str]) -> pd.DataFrame:
    """How many rows each species has.

    Args:
        tp: TP annotations.
        fp: FP annotations.
        fold_of_row: the fold in which each TP row is validated, -1 for none.
        species: the codes of the data set's species.

    Returns:
        A row for each species: species, tp_rows, fp_rows, then tp_rows_0, tp_rows_1, ... for each fold.
    """
    everyone = range(len(species))
    table = pd.DataFrame({"species": species})
    table["tp_rows"] = tp.species_id.value_counts().reindex(everyone, fill_value=0)
    table["fp_rows"] = fp.species_id.value_counts().reindex(everyone, fill_value=0)
    for fold in sorted(set(fold_of_row) - {-1}):
        table[f"tp_rows_{fold}"] = tp.species_id[fold_of_row == fold].value_counts().reindex(everyone, fill_value=0)
    return table
