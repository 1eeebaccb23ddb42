"""The table of thresholds (`thresholds.csv`): a row for each species, with the model of its probabilities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows, to_numbers_or_nan
from dawnchorus.inference.answer_thresholds import ANNOTATIONS, ANSWERED
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.thresholds import LABELS, MEASURED, WindowModel

MODEL = ["prevalence", "slope", "offset"]
NUMBERS = ["threshold", "probability", "precision", "precision_low", "windows_above", *LABELS]
# Earlier bundles lack the columns `MEASURED`, and tables without answers lack `ANSWERED`.
REQUIRED = ["species", *NUMBERS, "no_promise", *MODEL]
COLUMNS = [*REQUIRED, *MEASURED]
RESTS_ON = "rests_on"


def write_thresholds(path: Path, model: WindowModel, table: pd.DataFrame) -> None:
    """Write the result of `thresholds.choose_thresholds`, with the columns `MEASURED` and `ANSWERED` if there are any.

    Numbers keep nine digits.
    """
    table = table.assign(slope=model.calibration.slopes, offset=model.calibration.offsets)
    columns = [*COLUMNS, *ANSWERED] if RESTS_ON in table.columns else COLUMNS
    table.reindex(columns=columns).to_csv(path, index=False, float_format="%.9g")


def read_thresholds(path: Path, species: Sequence[str]) -> tuple[WindowModel, pd.DataFrame]:
    """Read a table of thresholds.

    Args:
        path: the CSV file.
        species: the codes that its rows must have, in this order.

    Returns:
        The model of probabilities, and the columns `COLUMNS` and `ANSWERED`; NaN where a species has no threshold.

    Raises:
        InputError: the table is missing or damaged, or has other species.
    """
    numbers = [*NUMBERS, *MODEL, *MEASURED, *(name for name in ANSWERED if name != RESTS_ON)]
    table = read_table(path, REQUIRED, numbers=numbers, named_by="a model has it beside model.json")
    expected = pd.Series([*species, *[""] * len(table)][: len(table)], table.index)
    is_other = (table.species != expected) | (len(table) < len(species))
    refuse_rows(path, table, "species", is_other, f"the species {', '.join(species)}, in this order")
    for column in numbers:
        table[column] = to_numbers_or_nan(path, table, column)
    for column in ("threshold", "prevalence"):
        is_wrong = ~table[column].between(0, 1) & table[column].notna()
        refuse_rows(path, table, column, is_wrong, "a number from 0 to 1, or nothing")
    refuse_rows(path, table, "slope", ~(table.slope > 0), "a number above 0")
    refuse_rows(path, table, "offset", table.offset.isna(), "a number")
    calibration = Calibration(table.slope.to_numpy(float), table.offset.to_numpy(float))
    if RESTS_ON not in table.columns:
        table[RESTS_ON] = ANNOTATIONS
    columns = [*COLUMNS, *ANSWERED]
    return WindowModel(calibration, np.asarray(table.prevalence, float)), table[columns].reset_index(drop=True)
