"""Modification times of outputs, which Snakemake compares with those of the stamps that `plan.py` writes."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from dawnchorus.errors import InputError

# A time before the modification time of any output.
LONG_AGO = 1
# Snakemake keeps the modification time of a folder in this file.
TIMESTAMP = ".snakemake_timestamp"
# File systems may round modification times.
SECONDS_APART = 0.05


def set_back(outputs: Iterable[str], now: float) -> None:
    """Set modification times that are later than now to now, so that stamps are newer than all outputs.

    Times in the future stem from a clock that was ahead. Times before `LONG_AGO` stem from archives without times.

    Args:
        outputs: paths of outputs; they may be missing.
        now: time in seconds since the epoch.

    Raises:
        InputError: there is no permission to set a time.
    """
    strange = []
    for out in outputs:
        path = Path(out, TIMESTAMP) if Path(out, TIMESTAMP).exists() else Path(out)
        if path.exists() and not LONG_AGO < path.stat().st_mtime <= now:
            strange.append(path)
    for path in strange:
        try:
            os.utime(path)
        except OSError as error:
            raise InputError(
                f"{path}: its modification time is in the future or unknown, and cannot be set to now: "
                f"{error.strerror}; give this user write permission"
            ) from error
    if strange:
        time.sleep(SECONDS_APART)
