"""The number of cores that a parallel stage may use."""

import os

VARIABLE = "DAWNCHORUS_CORES"


def cores() -> int:
    """The number of cores that Snakemake gave this job; under `dvc repro`, all cores that the process may use."""
    usable = len(os.sched_getaffinity(0))
    return min(int(os.environ.get(VARIABLE, usable)), usable)
