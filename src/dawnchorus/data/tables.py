"""Reading of CSV tables, with error messages that name file, line and column."""

import warnings
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.errors import InputError


def read_table(
    path: Path,
    required: list[str],
    may_be_empty: bool = False,
    named_by: str = "`data.root` in params.yaml names the folder of the data set",
    numbers: Collection[str] = (),
) -> pd.DataFrame:
    """Read a table as text, but the columns `numbers` as floats if all their cells are finite numbers."""
    try:
        table = _parse(path, numbers)
    except FileNotFoundError as error:
        raise InputError(f"{path}: is missing; {named_by}") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: is empty; expected a header line with {', '.join(required)}, then rows") from error
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{path}: cannot be read as a CSV table: {str(error).strip()}") from error
    missing = [column for column in required if column not in table.columns]
    if missing:
        raise InputError(
            f"{path}: has no column {', '.join(missing)}; found {', '.join(table.columns)}; "
            "add the column name to the first line"
        )
    if table.empty and not may_be_empty:
        raise InputError(f"{path}: has no rows below the header line; expected at least one")
    return table


def _parse(path: Path, numbers: Collection[str]) -> pd.DataFrame:
    with warnings.catch_warnings():
        # By default, pandas silently drops cells beyond the last column.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        read = partial(
            pd.read_csv,
            path,
            keep_default_na=False,
            index_col=False,
            skip_blank_lines=False,
            float_precision="round_trip",
        )
        # Parsing numbers directly takes a fifth of the time, but does not tell which cell is not a number.
        with suppress(ValueError):
            texts = [column for column in read(nrows=0).columns if column not in numbers]
            table = read(dtype=dict.fromkeys(texts, str), low_memory=False)
            found = table.drop(columns=texts)
            # True and False are not numbers.
            are_numbers = found.size and all(each.kind in "iuf" for each in found.dtypes)
            if are_numbers and np.isfinite(found.to_numpy(float)).all():
                return table.fillna("")
        table = read(dtype=str)
    # Blank lines are dropped but keep line numbers correct. Missing cells at the end of a line are empty.
    table = table.fillna("")
    return table[(table != "").any(axis=1)]


def to_numbers(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    """Convert a text column to floats, and refuse cells that are not finite numbers."""
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    refuse_rows(path, table, column, ~np.isfinite(numbers), "a number")
    # `to_numeric` may be wrong in the last digit.
    return table[column].astype(float)


def refuse_rows(
    path: Path, table: pd.DataFrame, column: str, wrong: "pd.Series | NDArray[np.bool_]", expected: str
) -> None:
    """Raise an InputError for the first wrong row. Its line number is its index + 2, because the header is line 1."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        value = table[column].iloc[rows[0]]
        found = repr(value) if isinstance(value, str) else f"{value:g}"
        more = f" ({len(rows) - 1} more rows like this)" if len(rows) > 1 else ""
        raise InputError(
            f"{path}: line {table.index[rows[0]] + 2}, column {column}: found {found}, "
            f"expected {expected}{more}; correct or remove the row"
        )
