"""How many cores a stage that computes on several of them may use."""

import os

VARIABLE = "DAWNCHORUS_CORES"


def cores() -> int:
    """The number of cores that Snakemake gave to this job, else (as under `dvc repro`) all that the process may use."""
    usable = len(os.sched_getaffinity(0))
    return min(int(os.environ.get(VARIABLE, usable)), usable)
