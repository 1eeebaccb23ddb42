"""Tables as the page shows them: formatted cells with the values that they are sorted by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

# Between a number and its unit, no line ends.
NBSP = "\u00a0"
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Column:
    """A column: its heading, a note that explains it, and whether its cells are numbers."""

    title: str
    note: str = ""
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: what is shown.
        value: what it is sorted by; None for the text, NaN for a number that is not known.
        bar: a fraction that is drawn as a bar below the text, if any.
        note: more, in small letters.
    """

    text: str
    value: float | None = None
    bar: float | None = None
    note: str = ""

    @property
    def sort_key(self) -> str:
        """The value as text for the script that sorts; empty where a number is not known."""
        if self.value is None:
            return self.text
        return "" if math.isnan(self.value) else f"{self.value:.9g}"


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        name: identifies it on the page.
        caption: what it shows.
        columns: its columns; the first one names the rows.
        rows: its cells.
        chart: a chart of the same, if any.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    chart: Markup = field(default_factory=Markup)


def percent(value: float) -> str:
    """A fraction in percent; a dash if it is not known."""
    return NOTHING if math.isnan(value) else f"{100 * value:.0f}{NBSP}%"


def decimal(value: float, digits: int = 2) -> str:
    """A number with so many decimals; a dash if it is not known."""
    return NOTHING if math.isnan(value) else f"{value:.{digits}f}"


def between(low: float, high: float, digits: int = 2) -> str:
    """An interval; nothing if it is not known."""
    return "" if math.isnan(low) else f"{low:.{digits}f}{NBSP}to{NBSP}{high:.{digits}f}"
