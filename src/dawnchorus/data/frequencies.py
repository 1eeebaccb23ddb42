"""Checks of the frequencies of annotations beside the sample rates of their recordings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.tables import refuse_rows

# Frequencies are often rounded to whole numbers.
TOLERANCE_HZ = 1.0


def refuse_frequencies(annotations: pd.DataFrame, rates: pd.Series, path_of: Callable[[str], Path]) -> None:
    """Refuse a table with frequencies that are above half the sample rate, or so low that they must be in kHz.

    Args:
        annotations: as in `dataset.Dataset`.
        rates: sample rate of each training recording, Hz, by recording_id; 0 where nobody knows.
        path_of: gives the file that the column `table` names.

    Raises:
        InputError: of a table no frequency is above a thousandth of half its recording's rate, or one is above half of
            it.
    """
    annotations = annotations.assign(f_max=annotations.f_max.fillna(annotations.f_min))
    nyquist = annotations.recording_id.map(rates).to_numpy(float) / 2
    is_above = (nyquist > 0) & (annotations.f_max > nyquist + TOLERANCE_HZ)
    if is_above.any():
        expected = f"at most {nyquist[is_above][0]:g} Hz, half the sample rate of the recording"
        _refuse(annotations, is_above, expected, "give frequencies in Hz, or correct the row", path_of)
    is_given = (nyquist > 0) & (annotations.f_max > 0)
    is_low = is_given & (annotations.f_max <= nyquist / 1000)
    in_khz = (is_low == is_given).groupby(annotations.table).transform("all") & is_low
    if in_khz.any():
        remedy = "these seem to be kHz: multiply f_min and f_max by 1000"
        _refuse(annotations, in_khz, "a frequency in Hz", remedy, path_of)


def _refuse(
    annotations: pd.DataFrame, wrong: pd.Series, expected: str, remedy: str, path_of: Callable[[str], Path]
) -> None:
    """Refuse the wrong rows of the first table that has some."""
    table = annotations.table[wrong].iloc[0]
    rows = annotations[wrong & (annotations.table == table)].set_index("line")
    refuse_rows(path_of(table), rows, "f_max", np.ones(len(rows), bool), expected, remedy)
