"""DVC's progress bars are kept off the terminal while a run is planned: they show each file of code for a moment."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# DVC shows no bars where these loggers are silent. They log nothing else.
LOGGERS = ("dvc.progress", "dvc_data.callbacks")
SECONDS_IN_SILENCE = 10.0
PATIENCE = (
    "comparing data, parameters and code with the last run; DVC reads new recordings once, which may take minutes"
)


@contextmanager
def without_bars() -> Iterator[None]:
    """Let DVC show no bars; if it takes long, a line tells what it does."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    timer = threading.Timer(SECONDS_IN_SILENCE, lambda: print(PATIENCE, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
