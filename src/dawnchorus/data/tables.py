"""Reading of tables as text files, with error messages that name file, line and column."""

import csv
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.table_layout import Layout, find_layout, read_text, split_lines, unnamed
from dawnchorus.errors import InputError

WITH_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
# 1,250 may be 1250 or 1.25.
THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*")


def read_table(
    path: Path,
    required: list[str],
    may_be_empty: bool = False,
    named_by: str = "`data.root` in params.yaml names the folder of the data set",
    numbers: Collection[str] | None = (),
) -> pd.DataFrame:
    """Read a table as text, but the number columns as floats if all their cells are finite numbers.

    Cells are separated by commas, semicolons or tabs, and numbers may have decimal commas where commas do not separate.
    Blank lines and columns without a name and content, or with the numbers of the rows, are left out.

    Args:
        path: of the table.
        required: columns that the table must have.
        may_be_empty: whether to accept a table without rows.
        named_by: where the user says which file this is, for the message if it is missing.
        numbers: the number columns; None for all that are not required.

    Returns:
        The rows, indexed by the number of the line in which each begins.

    Raises:
        InputError: the file is missing or no table, lacks a column, has a row with too many cells, or a quote that
            takes in other rows.
    """
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: is missing; {named_by}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; expected a table that you may read") from error
    layout = find_layout(path, text, required)
    found = [column for column in layout.named if column not in required] if numbers is None else numbers
    table = _parse_plain(text, layout, found) if text.find('"', layout.start) < 0 else None
    if table is None:
        table = _parse_any(path, text, layout, required)
    table = _without_unnamed(table, layout)
    if layout.separator != ",":
        table = _with_points(table, [column for column in found if column in table.columns])
    if table.empty and not may_be_empty:
        raise InputError(f"{path}: has no rows below the header line; expected at least one")
    return table


def _parse_plain(text: str, layout: Layout, numbers: Collection[str]) -> pd.DataFrame | None:
    """The rows of a table without quotes, by pandas; None if a row has too many cells."""
    with warnings.catch_warnings():
        # By default, pandas silently drops cells beyond the last column.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        content = text.encode()
        start = len(text[: layout.start].encode())
        texts = [column for column in layout.columns if column not in numbers]

        def read(**types: object) -> pd.DataFrame:
            rows = BytesIO(content)
            rows.seek(start)
            table = pd.read_csv(
                rows, header=None, names=layout.columns, sep=layout.separator, quoting=csv.QUOTE_NONE,
                keep_default_na=False, index_col=False, skip_blank_lines=False, float_precision="round_trip", **types,
            )  # fmt: skip
            table.index += layout.line
            return table

        # Parsing numbers directly takes a fifth of the time, but does not tell which cell is not a number.
        with suppress(ValueError, pd.errors.ParserWarning):
            table = read(dtype=dict.fromkeys(texts, str), low_memory=False)
            found = table.drop(columns=texts)
            # True and False are not numbers.
            are_numbers = found.size and all(each.kind in "iuf" for each in found.dtypes)
            if are_numbers and np.isfinite(found.to_numpy(float)).all():
                return table.fillna("")
        try:
            table = read(dtype=str)
        except (ValueError, pd.errors.ParserWarning):
            return None
    # Missing cells at the end of a line are empty.
    table = table.fillna("")
    return table[(table != "").any(axis=1)]


def _parse_any(path: Path, text: str, layout: Layout, required: Sequence[str]) -> pd.DataFrame:
    """The rows of any table, each of which may take several lines."""
    held: list[str] = []

    def lines() -> Iterator[str]:
        for line in split_lines(text, layout.start):
            held.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=layout.separator, strict=True)
    width, numbers, rows = len(layout.columns), [], []
    # A line with as many separators may be a row.
    enough = max((layout.columns.index(column) for column in required), default=0)
    while True:
        held.clear()
        number = layout.line + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise InputError(_quote_message(path, number, held, str(error))) from error
        if any(line.count(layout.separator) >= enough for line in held[1:]):
            raise InputError(
                f"{path}: lines {number} to {number + len(held) - 1}: a quoted cell takes in lines that may be rows; "
                "remove the stray quote, or write the cell in one line"
            )
        if any(cells[width:]):
            remedy = f"put text with a {layout.separator!r} in quotes"
            if layout.separator == ",":
                remedy = f"write numbers with a decimal point, not a comma, or separate cells with semicolons; {remedy}"
            raise InputError(
                f"{path}: line {number}: found {len(cells)} cells, expected {width}, one for each column; {remedy}"
            )
        if any(cells):
            rows.append(cells[:width] + [""] * (width - len(cells)))
            numbers.append(number)
    return pd.DataFrame(rows, numbers, layout.columns, dtype=str)


def _quote_message(path: Path, number: int, lines: Sequence[str], reason: str) -> str:
    """The message for a row that begins in line `number` and whose quotes are wrong; `reason` is that of `csv`."""
    if len(lines) > 1:
        return (
            f"{path}: lines {number} to {number + len(lines) - 1}: a quote that opens in line {number} is not closed "
            "at the end of a cell; remove it, or close it"
        )
    if "end of data" in reason:
        return f"{path}: line {number}: a quote is not closed; remove it, or close it"
    if "limit" in reason:
        return f"{path}: line {number}: has more than {csv.field_size_limit()} characters in one cell; shorten it"
    return f"{path}: line {number}: found text after a closing quote; write a quote within quotes twice, or remove it"


def _without_unnamed(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Drop columns without a name that are empty, and such a first column with the numbers of the rows."""
    drop = []
    for position, column in enumerate(layout.columns):
        if column == unnamed(position):
            cells = list(table[column])
            counts = [[str(row + first) for row in range(len(cells))] for first in (0, 1)]
            if not any(cells) or (position == 0 and cells in counts):
                drop.append(column)
    return table.drop(columns=drop) if drop else table


def _with_points(table: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    """Replace decimal commas in number columns, unless there are points too or all may separate thousands."""
    texts = [column for column in numbers if not pd.api.types.is_numeric_dtype(table[column])]
    cells = pd.concat([table[column] for column in texts], ignore_index=True) if texts else pd.Series(dtype=str)
    commas = cells[cells.str.fullmatch(WITH_COMMA)]
    if commas.str.fullmatch(THOUSANDS).all() or cells.str.contains(".", regex=False).any():
        return table
    table = table.copy()
    for column in texts:
        has_comma = table[column].str.fullmatch(WITH_COMMA)
        table[column] = table[column].where(~has_comma, table[column].str.replace(",", "."))
    return table


def to_numbers(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    """Convert a text column to floats, and refuse cells that are not finite numbers."""
    numbers = pd.to_numeric(table[column], errors="coerce").astype(float)
    wrong = ~np.isfinite(numbers)
    has_comma = any("," in str(cell) for cell in table[column][wrong][:1])
    refuse_rows(path, table, column, wrong, "a number, with a decimal point" if has_comma else "a number")
    # `to_numeric` may be wrong in the last digit.
    return table[column].astype(float)


def to_numbers_or_nan(path: Path, table: pd.DataFrame, column: str | None) -> pd.Series:
    """Convert a text column as `to_numbers` does, with NaN where the cell or the whole column is missing."""
    if column is None or column not in table.columns:
        return pd.Series(np.nan, table.index)
    is_given = table[column] != ""
    return to_numbers(path, table[is_given], column).reindex(table.index)


def place(line: int | str) -> str:
    """Where in a file something is, for a message: the number of a line, or a text that names the place already."""
    return line if isinstance(line, str) else f"line {line}"


def refuse_rows(
    path: Path,
    table: pd.DataFrame,
    column: str,
    wrong: "pd.Series | NDArray[np.bool_]",
    expected: str,
    remedy: str = "correct or remove the row",
) -> None:
    """Raise an InputError for the first wrong row of a table that is indexed by each row's line, as in `place`."""
    rows = np.flatnonzero(wrong)
    if len(rows):
        value = table[column].iloc[rows[0]]
        found = repr(value) if isinstance(value, str) else f"{value:g}"
        more = f" ({len(rows) - 1} more rows like this)" if len(rows) > 1 else ""
        where = place(table.index[rows[0]])
        raise InputError(f"{path}: {where}, column {column}: found {found}, expected {expected}{more}; {remedy}")
