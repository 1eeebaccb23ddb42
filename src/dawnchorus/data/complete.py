"""Complete annotation: recordings in which every call of a species is labelled, and the table `data/complete.csv`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.tables import read_table, refuse_rows

COLUMNS = ["recording_id", "species"]


@dataclass(frozen=True)
class Completeness:
    """The species of which all calls in a recording are labelled.

    Attributes:
        recordings: the recordings that are complete for a species, without repeats, shape [Recordings].
        species: whether a recording is complete for a species, shape [Recordings, Species].
    """

    recordings: pd.Index
    species: NDArray[np.bool_]

    @classmethod
    def of_table(cls, table: pd.DataFrame, species: Sequence[str]) -> "Completeness":
        """Convert a table with `COLUMNS`, in which an empty species stands for all of `species`."""
        numbers, names = pd.factorize(table.recording_id)
        is_complete = np.zeros((len(names), len(species)), bool)
        columns = pd.Index(species).get_indexer(table.species)
        is_all = (table.species == "").to_numpy()
        is_complete[numbers[is_all]] = True
        is_complete[numbers[~is_all], columns[~is_all]] = True
        return cls(pd.Index(names, dtype=object), is_complete)

    def of(self, recording_ids: Sequence[str] | NDArray[np.str_]) -> NDArray[np.bool_]:
        """Whether each of some recordings is complete for each species, shape [len(recording_ids), Species]."""
        rows = self.recordings.get_indexer(pd.Index(recording_ids, dtype=object))
        found = np.zeros((len(rows), self.species.shape[1]), bool)
        found[rows >= 0] = self.species[rows[rows >= 0]]
        return found

    def for_all_species(self) -> list[str]:
        """The recordings that are complete for all species."""
        return list(self.recordings[self.species.all(axis=1)])


def write_complete(path: Path, table: pd.DataFrame) -> None:
    """Write `data/complete.csv`: a row for each complete training recording, with a species or none for all."""
    table[COLUMNS].drop_duplicates().to_csv(path, index=False)


def read_complete(path: Path, species: Sequence[str]) -> Completeness:
    """Read `data/complete.csv`, which may have no rows.

    Args:
        path: the CSV file.
        species: the codes of all species.

    Raises:
        InputError: the table is missing or damaged, or a cell has an invalid value.
    """
    table = read_table(path, COLUMNS, may_be_empty=True)
    refuse_rows(path, table, "recording_id", table.recording_id == "", "a recording id")
    refuse_rows(path, table, "species", ~table.species.isin(["", *species]), "a species from data/species.csv, or none")
    return Completeness.of_table(table, species)
