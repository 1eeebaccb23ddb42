"""Species codes and the table `data/species.csv`."""

import re
from pathlib import Path

import pandas as pd

from dawnchorus.data.tables import read_table, refuse_rows

COLUMNS = ["species", "scientific_name", "common_name"]
# Codes that a species cannot have: tables of scores have a column for each, beside columns of these names.
RESERVED = re.compile(r"recording_id|start|channel|Unnamed.*|.*[\x00-\x1f\x7f].*", re.DOTALL)
NOT_RESERVED = "a name in one line that is not recording_id, start or channel, and does not begin with Unnamed"


def write_species(path: Path, species: pd.DataFrame) -> None:
    """Write `data/species.csv`: a row per species with `COLUMNS`, in the column order of all score tables."""
    species[COLUMNS].to_csv(path, index=False)


def read_species(path: Path) -> list[str]:
    """Read the species codes from `data/species.csv`.

    Raises:
        InputError: as in `read_species_names`.
    """
    return list(read_species_names(path).species)


def read_species_names(path: Path) -> pd.DataFrame:
    """Read the columns `COLUMNS` of `data/species.csv`; names may be empty.

    Raises:
        InputError: the table is missing or damaged, or a code is empty or repeated.
    """
    table = read_table(path, COLUMNS)[COLUMNS]
    refuse_rows(path, table, "species", table.species == "", "a species code")
    refuse_rows(path, table, "species", table.species.duplicated(), "each species once")
    return table
