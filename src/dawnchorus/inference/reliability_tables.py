"""The table of reliability (`reliability.csv`): scores and probabilities against labels, in bins."""

from pathlib import Path

import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.evaluation.reliability import BIN_COLUMNS, expected_calibration_error

SCORE, PROBABILITY = "score", "probability"
COLUMNS = ["species", "value", "bin", *BIN_COLUMNS]
# The species of the rows over all species.
ALL = ""


def write_reliability(path: Path, table: pd.DataFrame) -> None:
    """Write the result of `crossfit.reliability_table`. Numbers keep six digits."""
    table[COLUMNS].to_csv(path, index=False, float_format="%.6g")


def read_reliability(path: Path) -> pd.DataFrame:
    """Read a table of reliability, which may have no rows.

    Raises:
        InputError: the table is missing or damaged.
    """
    numbers = COLUMNS[2:]
    table = read_table(path, COLUMNS, may_be_empty=True, numbers=numbers, named_by="the stage calibrate writes it")
    refuse_rows(path, table, "value", ~table.value.isin([SCORE, PROBABILITY]), f"{SCORE} or {PROBABILITY}")
    for column in numbers:
        table[column] = to_numbers(path, table, column)
    return table[COLUMNS].reset_index(drop=True)


def calibration_errors(table: pd.DataFrame, species: str = ALL) -> dict[str, float]:
    """The expected calibration error of scores and of probabilities; none if the table has no rows of the species."""
    rows = table[table.species == species]
    return {str(value): expected_calibration_error(bins) for value, bins in rows.groupby("value", sort=False)}


def calibration_lines(table: pd.DataFrame) -> list[str]:
    """Say in a line for people how far scores and probabilities are from the labels; none if the table has no rows."""
    errors = calibration_errors(table)
    if not errors:
        return []
    labels = table.n[(table.species == ALL) & (table.value == SCORE)].sum()
    return [
        f"expected calibration error over {labels:.0f} labels out of fold: {errors[SCORE]:.3f} for scores, "
        f"{errors[PROBABILITY]:.3f} for probabilities"
    ]
