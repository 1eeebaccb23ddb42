"""Annotations: boxes that an expert heard, present or absent."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Annotations:
    """TP and FP boxes as arrays, a row each.

    Attributes:
        recording_ids: shape [Rows], text.
        boxes: t_min (s), f_min (Hz), t_max (s) and f_max (Hz), shape [Rows, 4].
        species_ids: shape [Rows].
        is_tp: shape [Rows].
    """

    recording_ids: NDArray[np.str_]
    boxes: NDArray[np.float64]
    species_ids: NDArray[np.int64]
    is_tp: NDArray[np.bool_]

    @classmethod
    def of_tables(cls, tp: pd.DataFrame, fp: pd.DataFrame) -> "Annotations":
        """The rows of a TP and an FP table, in this order."""
        both = pd.concat([tp, fp])
        return cls(
            both.recording_id.to_numpy(str),
            both[["t_min", "f_min", "t_max", "f_max"]].to_numpy(float),
            both.species_id.to_numpy(),
            np.repeat([True, False], [len(tp), len(fp)]),
        )

    def __len__(self) -> int:
        return len(self.is_tp)

    def of_recordings(self, recording_ids: set[str]) -> "Annotations":
        """The rows of some recordings."""
        keep = np.isin(self.recording_ids, list(recording_ids))
        return Annotations(self.recording_ids[keep], self.boxes[keep], self.species_ids[keep], self.is_tp[keep])


# A labelled box is known by these; one that stands twice in an annotation table counts once.
BOX_COLUMNS = ["recording_id", "species_id", "t_min", "t_max", "is_tp"]


def labelled_boxes(tp: pd.DataFrame, fp: pd.DataFrame, recording_ids: Container[str]) -> pd.DataFrame:
    """The boxes of some recordings.

    Args:
        tp: the TP annotations, as `read_annotations` gives them.
        fp: the FP annotations.
        recording_ids: names of the recordings.

    Returns:
        A row for each box with the columns `BOX_COLUMNS` (s; is_tp is bool), TP boxes first.
    """
    both = pd.concat([tp.assign(is_tp=True), fp.assign(is_tp=False)])
    wanted = [name in recording_ids for name in both.recording_id]
    return both.loc[wanted, BOX_COLUMNS].drop_duplicates(ignore_index=True)
