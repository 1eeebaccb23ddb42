"""Detections: stretches of a recording in which windows score at least the threshold of a species."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Starts of windows are whole frames, so windows that touch may seem apart by rounding.
TOLERANCE = 1e-6


def find_events(
    starts: NDArray[np.float64],
    scores: NDArray[np.floating],
    thresholds: NDArray[np.float64],
    window_seconds: float,
    gap_seconds: float,
    seconds: float,
    min_seconds: float = 0.0,
) -> pd.DataFrame:
    """Merge the windows of a recording that score at least their species' threshold.

    Args:
        starts: start of each window, ascending, s, shape [Windows].
        scores: shape [Windows, Species].
        thresholds: of each species; NaN for one that is never detected, shape [Species].
        window_seconds: length of a window, s.
        gap_seconds: windows with at most this much time between them are one detection, s.
        seconds: length of the recording, where a detection ends at the latest, s.
        min_seconds: shorter detections are left out, s.

    Returns:
        A row per detection in order of start: species_id, start_s, end_s, and score, the highest of its windows.
    """
    windows, species = np.nonzero(scores >= thresholds)
    order = np.lexsort([windows, species])
    windows, species = windows[order], species[order]
    # A window begins a detection if the one before it is of another species, or ends too long before.
    apart = np.diff(starts[windows]) > window_seconds + gap_seconds + TOLERANCE
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(species) != 0) | apart])[: len(windows)])
    ends = np.append(begins[1:], len(windows)) - 1
    found = pd.DataFrame(
        {
            "species_id": species[begins],
            "start_s": starts[windows[begins]],
            "end_s": np.minimum(starts[windows[ends]] + window_seconds, seconds) if len(begins) else np.empty(0),
            "score": np.maximum.reduceat(scores[windows, species], begins) if len(begins) else np.empty(0),
        }
    )
    found = found[found.end_s - found.start_s >= min_seconds - TOLERANCE]
    return found.sort_values(["start_s", "species_id"], kind="stable", ignore_index=True)
