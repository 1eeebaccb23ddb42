"""Lines that stay, and below them rows that are redrawn while jobs run."""

import os
from collections.abc import Sequence
from typing import TextIO

UP, DOWN = "\x1b[{}A", "\x1bD\r"
CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"
DEFAULT_WIDTH, DEFAULT_HEIGHT = 80, 24
# Rows are not cut shorter than this.
NARROWEST = 20


class Screen:
    """A terminal, or a file or pipe, to which rows are not written.

    Rows are redrawn with cursor movements; only a line that stays ends with a line break. So `script` records as many
    lines as a reader sees.
    """

    def __init__(self, stream: TextIO, live: bool) -> None:
        """Begin.

        Args:
            stream: where to write.
            live: whether to show rows; see `can_redraw`.
        """
        self._stream, self.live = stream, live
        self._rows: list[str] = []

    def print(self, *lines: str) -> None:
        """Write lines that stay, above the rows."""
        self._draw([part for line in lines for part in line.split("\n")], self._rows)

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        """Replace the rows.

        Args:
            rows: the texts of each row, from long to short; the first that fits is shown.
        """
        if not self.live:
            return
        width, height = self.size()
        shown = [self.fit(texts, width) for texts in rows]
        shown = shown[-(height - 1) :] if height > 1 else shown[-1:]
        if shown != self._rows:
            self._draw([], shown)

    def fits(self, text: str) -> bool:
        """Whether a text fits into a row of the terminal."""
        return len(text) <= _room(self.size()[0])

    def fit(self, texts: Sequence[str], width: int | None = None) -> str:
        """The first of some texts that fits into a row of the terminal, else the beginning of the last."""
        room = _room(self.size()[0] if width is None else width)
        texts = ["".join(char if char.isprintable() else " " for char in text) for text in texts]
        return next((text for text in texts if len(text) <= room), texts[-1][: room - 3] + "...")

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal. The environment variable COLUMNS comes first."""
        try:
            width, height = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            width, height = 0, 0
        columns = os.environ.get("COLUMNS", "")
        if columns.isdigit():
            width = int(columns)
        # A terminal without a size says 0.
        return width or DEFAULT_WIDTH, height or DEFAULT_HEIGHT

    def _draw(self, lines: Sequence[str], rows: list[str]) -> None:
        """Replace the rows by lines that stay and new rows; the cursor ends after the last row."""
        if not self.live:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
            return
        width = self.size()[0]
        # A terminal that was made narrower has broken the rows.
        height = sum(max(1, -(-len(row) // width)) for row in self._rows)
        text = "\r" + (UP.format(height - 1) if height > 1 else "")
        text += "".join(f"{CLEAR_BELOW}{line}\r\n" for line in lines)
        text += DOWN.join(f"{row}{CLEAR_LINE}" for row in rows) + CLEAR_BELOW
        self._rows = rows
        self._stream.write(text)
        self._stream.flush()


def _room(width: int) -> int:
    # Terminals differ in what they do after a character in the last column.
    return max(width - 1, NARROWEST)


def can_redraw(stream: TextIO) -> bool:
    """Whether rows can be redrawn: on a terminal, unless its user wants plain text (NO_COLOR, TERM=dumb)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
