"""Frequencies that a recording cannot have, or in another unit, are refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dawnchorus.data.frequencies import refuse_frequencies
from dawnchorus.errors import InputError

ROOT = Path("/data")
RATES = pd.Series({"a": 48_000, "b": 22_050, "unreadable": 0}, dtype=float)


def annotations(**tables: list[tuple[str, float, float]]) -> pd.DataFrame:
    rows = [(f"{name}.csv", line, *row) for name, rows in tables.items() for line, row in enumerate(rows, 2)]
    return pd.DataFrame(rows, columns=["table", "line", "recording_id", "f_min", "f_max"])


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 0, 24_000), ("b", 0, 11_025), ("b", 0, 11_025.5), ("unreadable", 1e5, 2e5)],
        [("a", 10, 20), ("a", 100, 200)],  # an elephant, and something else
        [("a", 0, 0), ("a", 0, 0)],  # not known
        [("a", np.nan, np.nan)],  # not given
        [("unreadable", 1, 2)],
        [],
    ],
)
def test_possible_frequencies_are_taken(rows: list[tuple[str, float, float]]) -> None:
    refuse_frequencies(annotations(tp=rows), RATES, ROOT.joinpath)


def test_a_frequency_above_half_the_rate_names_its_row(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        refuse_frequencies(annotations(tp=[("a", 1e3, 2e4), ("b", 1e3, 1.2e4), ("b", 1e3, 2e4)]), RATES, ROOT.joinpath)
    assert str(error.value) == (
        "/data/tp.csv: line 3, column f_max: found 12000, expected at most 11025 Hz, half the sample rate of the "
        "recording (1 more rows like this); give frequencies in Hz, or correct the row"
    )


def test_a_table_in_khz_is_refused() -> None:
    in_khz = [("a", np.nan, np.nan), ("a", 1.0, 2.0), ("b", 7.5, 11.025), ("a", 0.0, 0.0), ("unreadable", 0.0, 4e3)]
    with pytest.raises(InputError) as error:
        refuse_frequencies(annotations(tp=[("a", 1e3, 2e3)], fp=in_khz), RATES, ROOT.joinpath)
    assert str(error.value) == (
        "/data/fp.csv: line 3, column f_max: found 2, expected a frequency in Hz (1 more rows like this); these seem "
        "to be kHz: multiply f_min and f_max by 1000"
    )
