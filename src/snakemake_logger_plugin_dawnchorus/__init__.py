"""Snakemake's logger plugin `dawnchorus`: what a run of the workflow shows on the terminal.

Snakemake finds it by the name of this module, and `workflow/profiles/default` selects it. Everything that is not shown
is in Snakemake's own log in `.snakemake/log/` and in the logs of the jobs in `logs/`.

Snakemake loads plugins before the Snakefile, which decides which copy of the package is used. So the package is
imported when the workflow starts.
"""

import os
import re
import sys
from logging import WARNING, LogRecord
from typing import TYPE_CHECKING, TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

if TYPE_CHECKING:
    from dawnchorus.workflow.terminal.display import Display

# Messages of Snakemake before the workflow starts that tell a user nothing.
CHATTER = ("Using workflow specific profile", "Using profile", "Assuming unrestricted shared", "host: ", "Building DAG")
# Where an error was raised, before its message.
ORIGIN = re.compile(r'^\w+(?: in rule \w+)? in file "[^"]*", line \d+:\n')
# The lines of the Snakefile that led to an error.
FRAMES = re.compile(r'(?:\n  File "[^"]*", line \d+, in [^\n]*)+$')


class LogHandler(LogHandlerBase):
    """Shows the progress of a run, its failures and its results instead of Snakemake's messages."""

    _display: "Display | None" = None
    # Nobody reads any more.
    _is_unread = False
    # The display had an error, so Snakemake's own messages are shown.
    _is_plain = False

    def emit(self, record: LogRecord) -> None:
        """Show an event of Snakemake, or leave it out."""
        if self._is_unread:
            return
        # An exception would end Snakemake's thread for plugins.
        try:
            self._show(record)
        except BrokenPipeError:
            # As in `snakemake -n | head`. Python would complain when it ends.
            self._is_unread = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        except Exception:
            if self._display is not None:
                self._display.stop()
            self._is_plain, self._display = True, None
            self.handleError(record)

    def _show(self, record: LogRecord) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.WORKFLOW_STARTED and not self._is_plain:
            from dawnchorus.workflow.terminal.display import Display

            self._display = Display(self._stream, self.common_settings)
            return
        text = self.format(record) or ""
        if event == LogEvent.ERROR:
            text = for_people(text)
        if self._display is not None:
            self._display.handle(record, text)
        elif self._is_plain or record.levelno >= WARNING or self._is_wanted(text):
            print(text, file=self._stream, flush=True)

    def _is_wanted(self, text: str) -> bool:
        """Whether to show a message before the workflow starts, which may be what a user has asked for."""
        return bool(text) and not self.common_settings.quiet and not text.startswith(CHATTER)

    def close(self) -> None:
        """Show how the run ended."""
        if self._display is not None and not self._is_unread:
            self._display.close()
        self._display = None
        super().close()

    @property
    def _stream(self) -> TextIO:
        return sys.stdout if self.common_settings.stdout else sys.stderr

    @property
    def writes_to_stream(self) -> bool:
        """Snakemake's own handler would write every message besides."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's log file has everything."""
        return False

    @property
    def has_filter(self) -> bool:
        """It decides by itself what to leave out."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Snakemake's formatter serves for what it does not change."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """It does not use it."""
        return False


def for_people(error: str) -> str:
    """The message of an error that Snakemake reports, without the lines of the Snakefile."""
    if not error.startswith("WorkflowError"):
        return error
    return f"error: {FRAMES.sub('', ORIGIN.sub('', error))}"
