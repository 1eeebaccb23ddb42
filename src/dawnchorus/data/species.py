"""Species codes and the table `data/species.csv`."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows

COLUMNS = ["species", "scientific_name", "common_name"]


def write_species(path: Path, species: Sequence[str]) -> None:
    """Write `data/species.csv`: one row per species, in the column order of all score tables."""
    pd.DataFrame({"species": species, "scientific_name": "", "common_name": ""}).to_csv(path, index=False)


def read_species(path: Path) -> list[str]:
    """Read the species codes from `data/species.csv`.

    Raises:
        InputError: the table is missing or damaged, or a code is empty or repeated.
    """
    table = read_table(path, COLUMNS)
    refuse_rows(path, table, "species", table.species == "", "a species code")
    refuse_rows(path, table, "species", table.species.duplicated(), "each species once")
    return list(table.species)
