"""The number of processes that a stage may start."""

import os


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
