"""Species: their codes, and `data/species.csv`."""

from pathlib import Path

from dawnchorus.data.tables import read_table, refuse_rows


def species_columns(n_species: int) -> list[str]:
    """The species columns of a submission: s0, s1, ..."""
    return [f"s{number}" for number in range(n_species)]


def read_species(path: Path) -> list[str]:
    """Read the names of the species out of `data/species.csv`: s0, s1, ..."""
    table = read_table(path, ["species"])
    refuse_rows(path, table, "species", table.species != species_columns(len(table)), "s0, s1, ... in this order")
    return list(table.species)
