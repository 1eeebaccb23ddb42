"""Ground truth: the species labelled present or absent in each recording, and the table `data/ground_truth.csv`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.data.score_tables import read_scores


@dataclass(frozen=True)
class GroundTruth:
    """The labels of a set of recordings.

    Attributes:
        recording_ids: shape [Recordings].
        truth: whether each species is labelled present, shape [Recordings, Species].
        mask: label mask: whether each species is labelled at all, shape [Recordings, Species]. LWLRAP counts
            unlabelled species as absent; average precision ignores them.
    """

    recording_ids: list[str]
    truth: NDArray[np.bool_]
    mask: NDArray[np.bool_]

    @classmethod
    def of_truth(cls, table: pd.DataFrame) -> "GroundTruth":
        """Ground truth from a table with 1 where a species calls, 0 where it does not, and NaN where it is unknown."""
        return cls(list(table.index), table.to_numpy() > 0, table.notna().to_numpy())

    @classmethod
    def of_annotations(cls, annotations: pd.DataFrame, recording_ids: list[str], n_species: int) -> "GroundTruth":
        """Sparse labels: a species is present if it has a present box, and absent if it has only absent boxes.

        Args:
            annotations: table from `annotations.read_annotations`.
            recording_ids: the recordings, shape [Recordings].
            n_species: number of species.
        """
        index = pd.Index(recording_ids)
        truth, absent = (np.zeros((len(recording_ids), n_species), bool) for _ in range(2))
        for table, marks in ((annotations[annotations.is_tp], truth), (annotations[~annotations.is_tp], absent)):
            rows = index.get_indexer(table.recording_id)
            used = rows >= 0
            marks[rows[used], table.species_id.to_numpy()[used]] = True
        return cls(recording_ids, truth, truth | absent)


def write_ground_truth(path: Path, table: pd.DataFrame) -> None:
    """Write `data/ground_truth.csv`: recording_id, and 0, 1 or nothing (NaN) for each species."""
    table.astype("Int64").to_csv(path, index_label="recording_id")


def read_ground_truth(path: Path, species: Sequence[str]) -> pd.DataFrame:
    """Read `data/ground_truth.csv`: one column per species, indexed by recording_id; NaN where the truth is unknown.

    The table may have no rows.
    """
    return read_scores(path, list(species), may_be_empty=True, cells_may_be_empty=True)
