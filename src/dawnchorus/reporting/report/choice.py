"""Which sounds the report plays: of each species the right, wrong and missed ones, and those at the threshold."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from dawnchorus.reporting.report.candidates import COLUMNS, Basis

# Scores of 0 and 1 have infinite log odds.
SMALLEST = 1e-7


class Kind(StrEnum):
    """What the model makes of a sound. In this order, a sound that is of two kinds is shown as the first."""

    WRONG = "wrong"
    RIGHT = "right"
    MISSED = "missed"
    NEAREST = "nearest to the threshold"


def choose_examples(
    candidates: pd.DataFrame, digests: Sequence[str], window_seconds: float, most: int, n_species: int
) -> pd.DataFrame:
    """Choose examples of each kind for each species.

    - Wrong: detected and absent, the highest scores first.
    - Right: detected and present, the highest scores first; labelled calls before detections in recordings of which it
      is only known that the species calls somewhere.
    - Missed: present and not detected, the lowest scores first.
    - Nearest to the threshold: half of them present and half absent, as far as there are.

    No two examples of a species have a common part of a recording. As many recordings as possible have one.

    Args:
        candidates: the columns `candidates.COLUMNS`.
        digests: of each candidate's recording, equal for recordings with the same sound, shape [Candidates].
        window_seconds: length of a window, s.
        most: number of examples of each kind.
        n_species: number of species.

    Returns:
        The columns `candidates.COLUMNS` and kind, by species, kind and rank.
    """
    odds = logit(np.clip(candidates.score.to_numpy(float), SMALLEST, 1 - SMALLEST))
    limit = logit(np.clip(candidates.threshold.to_numpy(float), SMALLEST, 1 - SMALLEST))
    # A table without rows has columns of no type.
    candidates = candidates.astype({"is_present": bool})
    table = candidates.assign(
        digest=list(digests), odds=odds, distance=np.abs(odds - limit),
        is_detected=candidates.start_s.notna(),
        is_vague=candidates.is_present & (candidates.basis == Basis.RECORDING),
        begin=candidates[["window_s", "t_min"]].min(axis=1),
        end=np.fmax(candidates.window_s + window_seconds, candidates.t_max),
    )  # fmt: skip
    # Equal scores are in the order of recordings and time, so that the choice depends on nothing else.
    table = table.sort_values(["split", "recording_id", "window_s", "basis", "t_min"], kind="stable")
    chosen = []
    for number in range(n_species):
        own, used = table[table.species_id == number], _Used()
        for kind in Kind:
            rows = _of_kind(own, kind, most, used)
            chosen.append(rows.assign(kind=kind.value))
    found = pd.concat([rows for rows in chosen if len(rows)] or chosen[:1], ignore_index=True)
    return found[[*COLUMNS, "kind"]]


class _Used:
    """The parts of recordings that the examples of a species are from."""

    def __init__(self) -> None:
        self.parts: dict[str, list[tuple[float, float]]] = {}

    def take(self, rows: pd.DataFrame, most: int) -> pd.DataFrame:
        """Take the first rows that are from parts of their own; first those from recordings of their own."""
        taken: list[Any] = []
        for only_new in (True, False):
            for row in rows.itertuples():
                if len(taken) >= most:
                    break
                parts = self.parts.get(row.digest, [])
                if parts and (only_new or any(row.begin < end and row.end > begin for begin, end in parts)):
                    continue
                self.parts.setdefault(row.digest, []).append((row.begin, row.end))
                taken.append(row.Index)
        # Both passes together in the order of rank.
        return rows[rows.index.isin(taken)]


def _of_kind(own: pd.DataFrame, kind: Kind, most: int, used: _Used) -> pd.DataFrame:
    def ranked(rows: NDArray[np.bool_] | pd.Series, by: list[str], ascending: list[bool]) -> pd.DataFrame:
        return own[np.asarray(rows, bool)].sort_values(by, ascending=ascending, kind="stable")

    match kind:
        case Kind.WRONG:
            return used.take(ranked(own.is_detected & ~own.is_present, ["odds"], [False]), most)
        case Kind.RIGHT:
            rows = ranked(own.is_detected & own.is_present, ["is_vague", "odds"], [True, False])
            return used.take(rows, most)
        case Kind.MISSED:
            return used.take(ranked(~own.is_detected & own.is_present, ["odds"], [True]), most)
        case Kind.NEAREST:
            rows = ranked(own.distance.notna() & ~own.is_vague, ["distance"], [True])
            present = used.take(rows[rows.is_present], (most + 1) // 2)
            absent = used.take(rows[~rows.is_present], most - len(present))
            more = used.take(rows[rows.is_present], most - len(present) - len(absent))
            return pd.concat([present, absent, more]).sort_values("distance", kind="stable")
