"""How a table is written: its encoding, the lines before its heading, its separator and its columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dawnchorus.errors import InputError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# What Excel takes for the separator, in the first line of a file.
DECLARED = re.compile(r'"?sep=([,;|\t])"?[,;\t]*', re.IGNORECASE)
# What pandas writes for a column that had no name in the table that it read.
UNNAMED = re.compile(r"\s*(Unnamed: \d+\s*)?")
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
MOST_SHOWN = 500
SAVE = "save the table as UTF-8 (Excel calls this CSV UTF-8)"


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes:
        separator: what separates cells.
        columns: the names of the columns, without spaces around them; see `unnamed` for those without a name.
        heading: the number of the line with the names, from 1.
        line: the number of the first line below the heading.
        start: where this line starts in the text.
    """

    separator: str
    columns: list[str]
    heading: int
    line: int
    start: int

    @property
    def named(self) -> list[str]:
        """The columns that have a name."""
        return [column for position, column in enumerate(self.columns) if column != unnamed(position)]


def unnamed(position: int) -> str:
    """What a column without a name is called, by its position from 0."""
    return f"(column {position + 1}, without a name)"


def read_text(path: Path) -> str:
    """Read a text in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        InputError: the file is in another encoding or no text; the message names the line.
        OSError: the file is missing or cannot be read.
    """
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: is a workbook or an archive, expected a table as text; save it as CSV UTF-8")
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "replace")
        last = re.split(r"[\r\n]", before)[-1][-20:]
        after = f" after {last!r}" if last else ""
        raise InputError(
            f"{path}: line {line_at(before, len(before))}: found the byte 0x{error.object[error.start]:02x}{after}, "
            f"which is not {encoding.removesuffix('-sig').upper()}; {SAVE}"
        ) from error
    if (end := text.find("\0")) >= 0:
        raise InputError(f"{path}: line {line_at(text, end)}: found a zero byte, expected text; {SAVE}")
    return text


def split_lines(text: str, start: int = 0) -> Iterator[str]:
    """The lines of a text from an offset on, with their ends. Only what ends a line of a table ends one here."""
    return (match.group() for match in LINE.finditer(text, start))


def line_at(text: str, offset: int) -> int:
    """The number of the line, from 1, that an offset in a text is in."""
    return 1 + len(re.findall(r"\r\n|\r|\n", text[:offset]))


def find_layout(path: Path, text: str, required: Sequence[str]) -> Layout:
    """Find the separator under which a table has the required columns, and where its rows start.

    A line `sep=` and lines that are blank or start with `#` may come before the heading.

    Args:
        path: of the table.
        text: of the table.
        required: columns that the table must have.

    Raises:
        InputError: there is no heading, it lacks a column whatever the separator is, or two columns have one name.
    """
    separators, start, heading = list(SEPARATORS), 0, 1
    for line in split_lines(text):
        declared = DECLARED.fullmatch(line.rstrip("\r\n")) if heading == 1 else None
        if declared:
            separators = [declared.group(1)]
        elif line.strip() and not line.startswith("#"):
            break
        start, heading = start + len(line), heading + 1
    else:
        raise InputError(f"{path}: is empty; expected a header line with {', '.join(required)}, then rows")
    layouts = [_layout(path, text, separator, start, heading) for separator in separators]
    possible = [layout for layout in layouts if set(required) <= set(layout.columns)]
    if not possible or any(layout.columns != possible[0].columns for layout in possible):
        raise InputError(_without_columns(path, layouts, required))
    layout = possible[0]
    for position, column in enumerate(layout.columns):
        if column in layout.columns[:position]:
            raise InputError(
                f"{path}: line {heading}: two columns are called {column!r}; give each column a name of its own"
            )
    return layout


def _layout(path: Path, text: str, separator: str, start: int, heading: int) -> Layout:
    reader = csv.reader(split_lines(text, start), delimiter=separator)
    try:
        cells = next(reader)
    except csv.Error as error:
        raise InputError(
            f"{path}: line {heading}: has more than {csv.field_size_limit()} characters in one cell, expected the "
            "names of columns; close each quote"
        ) from error
    columns = [
        unnamed(position) if UNNAMED.fullmatch(name) else re.sub(r"\s*[\r\n]+\s*", " ", name.strip())
        for position, name in enumerate(cells)
    ]
    used = sum(len(line) for line in islice(split_lines(text, start), reader.line_num))
    return Layout(separator, columns, heading, heading + reader.line_num, start + used)


def _without_columns(path: Path, layouts: Sequence[Layout], required: Sequence[str]) -> str:
    """The message for a heading that lacks columns, about the separator under which it lacks the fewest."""
    best = max(layouts, key=lambda layout: len({*required} & {*layout.columns}))
    missing = ", ".join(name for name in required if name not in best.columns)
    found = ", ".join(best.columns)
    found = found if len(found) <= MOST_SHOWN else f"{found[:MOST_SHOWN]}..."
    remedy = "add the column name to this line"
    if not {*required} & {*best.columns}:
        separators = " or ".join(SEPARATORS.get(layout.separator, repr(layout.separator)) for layout in layouts)
        remedy = f"expected the names of the columns in this line, separated by {separators}"
    return f"{path}: line {best.heading}: has no column {missing}; found {found}; {remedy}"
