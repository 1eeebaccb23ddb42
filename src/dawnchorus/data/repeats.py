"""Annotations that say the same twice, or that contradict each other."""

import pandas as pd

from dawnchorus.data.tables import place

BOX = ["recording_id", "species", "t_min", "t_max", "f_min", "f_max"]


def without_repeats(annotations: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Keep the first of equal rows, which would otherwise count twice.

    Args:
        annotations: as in `dataset.Dataset`.

    Returns:
        The rows that no earlier one equals, and remarks about the others and about boxes that are both present and
        absent. These are kept: training takes them for present.
    """
    remarks = []
    is_repeated = annotations.duplicated([*BOX, "label"])
    if is_repeated.any():
        first, second = _first_places(annotations, [*BOX, "label"])
        remarks.append(f"{is_repeated.sum()} rows repeat an earlier row and count once: first {second} = {first}")
    kept = annotations[~is_repeated].reset_index(drop=True)
    contradicts = kept.duplicated(BOX)
    if contradicts.any():
        first, second = _first_places(kept, BOX)
        remarks.append(
            f"{contradicts.sum()} boxes are both present and absent, and training takes them for present; first "
            f"{first} and {second}; correct one of the rows"
        )
    return kept, remarks


def _first_places(annotations: pd.DataFrame, columns: list[str]) -> tuple[str, str]:
    """Name the first row that an earlier one equals in some columns, and before it the earlier one."""
    second = annotations[annotations.duplicated(columns)].iloc[0]
    compared = annotations[columns]
    is_equal = (compared == second[columns]) | (compared.isna() & second[columns].isna())
    equal = annotations[is_equal.all(axis=1)]
    earlier, later = (f"{row.table} {place(row.line)}" for row in equal[:2].itertuples())
    return earlier, later
