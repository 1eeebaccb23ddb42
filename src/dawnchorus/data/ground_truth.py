"""Ground truth: which species are known to call in a recording, and which not to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class GroundTruth:
    """What is known of a set of recordings.

    Attributes:
        recording_ids: shape [Recordings].
        truth: which species are known to call, shape [Recordings, Species].
        mask: where that is known, shape [Recordings, Species]. LWLRAP takes the rest as silent; average precision
            leaves it out.
    """

    recording_ids: list[str]
    truth: NDArray[np.bool_]
    mask: NDArray[np.bool_]

    @classmethod
    def of_truth(cls, table: pd.DataFrame) -> "GroundTruth":
        """Dense truth: all of it is known."""
        truth = table.to_numpy() > 0
        return cls(list(table.index), truth, np.ones_like(truth))

    @classmethod
    def of_annotations(
        cls, tp: pd.DataFrame, fp: pd.DataFrame, recording_ids: list[str], n_species: int
    ) -> "GroundTruth":
        """Sparse labels: species with a TP row are known to call, species with only FP rows not to."""
        index = pd.Index(recording_ids)
        truth, refused = (np.zeros((len(recording_ids), n_species), bool) for _ in range(2))
        for table, marks in ((tp, truth), (fp, refused)):
            rows = index.get_indexer(table.recording_id)
            used = rows >= 0
            marks[rows[used], table.species_id.to_numpy()[used]] = True
        return cls(recording_ids, truth, truth | refused)
