"""A terminal for tests: runs a command on a pseudo-terminal, and tells what its screen shows."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# What the display writes: text, control characters, and sequences that begin with an escape character.
TOKEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b([A-Z])|(\r)|(\n)|([^\x1b\r\n]+)")


@dataclass
class Emulator:
    """The screen and what has scrolled out of it, as lines of at most `width` characters."""

    width: int
    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0

    def feed(self, text: str) -> None:
        """Interpret output; a sequence that is not known is an error."""
        end = 0
        for token in TOKEN.finditer(text):
            assert token.start() == end, repr(text[end : token.start() + 10])
            end = token.end()
            number, final, index, home, down, plain = token.groups()
            if plain:
                self._write(plain)
            elif home:
                self.column = 0
            elif down or index == "D":
                self._down()
            elif final == "A":
                self.row -= int(number or 1)
                assert self.row >= 0
            elif final == "K":
                self.lines[self.row] = self.lines[self.row][: self.column]
            elif final == "m":
                pass  # a colour
            elif final == "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
            else:
                raise AssertionError(repr(token[0]))
        assert end == len(text), repr(text[end:])

    def shown(self) -> list[str]:
        """The lines, without empty ones at the end."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n").split("\n")

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _write(self, text: str) -> None:
        for char in text:
            if self.column == self.width:
                self.column = 0
                self._down()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1


@dataclass
class Session:
    """A command that has run on a terminal.

    Attributes:
        code: how it ended.
        raw: everything that it wrote.
        screens: what the screen showed after each part that it wrote.
    """

    code: int
    raw: str
    screens: list[list[str]]


def on_terminal(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    width: int = 100,
    interrupt: Callable[[str], bool] | None = None,
    seconds: float = 120,
) -> Session:
    """Run a command on a terminal with a width.

    Args:
        command: the command.
        folder: its working directory.
        environment: its environment variables.
        width: columns of the terminal.
        interrupt: Ctrl-C is pressed when this first holds for everything that was written.
        seconds: after which the test fails.
    """
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))

    def own_terminal() -> None:
        # A shell that has started the tests in the background lets them, and what they start, ignore the key.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setsid()
        fcntl.ioctl(side, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command, cwd=folder, env={**environment, "TERM": "xterm"}, stdin=side, stdout=side, stderr=side,
        preexec_fn=own_terminal,
    )  # fmt: skip
    os.close(side)
    emulator, raw, screens = Emulator(width), b"", []
    deadline = time.monotonic() + seconds
    shown = 0
    try:
        while True:
            assert time.monotonic() < deadline, raw.decode()
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            raw += part
            text = raw.decode(errors="replace")
            # The rest of a sequence may come with the next part.
            whole = len(text) if "\x1b" not in text[-6:] else text.rindex("\x1b")
            emulator.feed(text[shown:whole])
            shown = max(shown, whole)
            screens.append(emulator.shown())
            if interrupt is not None and interrupt(text):
                interrupt = None
                os.write(main, b"\x03")
        emulator.feed(raw.decode(errors="replace")[shown:])
        screens.append(emulator.shown())
        return Session(process.wait(seconds), raw.decode(errors="replace"), screens)
    finally:
        os.close(main)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
