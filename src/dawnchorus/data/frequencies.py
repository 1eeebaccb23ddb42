"""Checks of the frequencies of annotations beside the sample rates of their recordings."""

from pathlib import Path

import numpy as np
import pandas as pd

from dawnchorus.data.tables import refuse_rows

# Frequencies are often rounded to whole numbers.
TOLERANCE_HZ = 1.0


def refuse_frequencies(annotations: pd.DataFrame, rates: pd.Series, root: Path) -> None:
    """Refuse a table with frequencies that are above half the sample rate, or so low that they must be in kHz.

    Args:
        annotations: as in `dataset.Dataset`.
        rates: sample rate of each training recording, Hz, by recording_id; 0 where nobody knows.
        root: the data set's folder.

    Raises:
        InputError: of a table no f_max is above a thousandth of half its recording's rate, or one is above half of it.
    """
    highest = annotations.recording_id.map(rates).to_numpy(float) / 2
    for name, rows in annotations.groupby("table", sort=False):
        path, nyquist = root / str(name), highest[rows.index]
        is_known = nyquist > 0
        rows, nyquist = rows[is_known].set_index("line"), nyquist[is_known]
        is_above = (rows.f_max > nyquist + TOLERANCE_HZ).to_numpy()
        if is_above.any():
            expected = f"at most {nyquist[is_above][0]:g} Hz, half the sample rate of the recording"
            refuse_rows(path, rows, "f_max", is_above, expected, "give frequencies in Hz, or correct the row")
        if (rows.f_max > 0).any() and (rows.f_max <= nyquist / 1000).all():
            refuse_rows(
                path, rows, "f_max", np.ones(len(rows), bool), "a frequency in Hz", "these seem to be kHz: multiply "
                "f_min and f_max by 1000",
            )  # fmt: skip
