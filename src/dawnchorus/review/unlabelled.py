"""What is known of training windows, and those that nobody has labelled."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.data.annotations import COLUMNS
from dawnchorus.data.splits import TEST, TRAIN
from dawnchorus.data.tables import read_table, to_numbers
from dawnchorus.review.places import known_files
from dawnchorus.review.scores import ScoredWindows
from dawnchorus.review.session import Session

ANNOTATIONS = Path("data/annotations.csv")
# Part of a window that is known already, from which on it is not asked about again.
KNOWN_PART = 0.5

# A recording: split and recording_id in the data set, or "" and the absolute path of another file. Recorders with one
# schedule give files equal names.
Recording = tuple[str, str]
# Stretches of recordings, start and end (s), by recording and species.
Stretches = dict[tuple[Recording, str], list[tuple[float, float]]]


def recording_of(split: str, recording_id: str, file: str) -> Recording:
    """Which recording a scored one or an item is about; the arguments are those of `Item`."""
    return (split, recording_id) if split else ("", os.path.abspath(file))


def known_stretches(asked: Sequence[str], earlier: Sequence[Session]) -> Stretches:
    """What experts have labelled, and what other reviews ask about.

    Args:
        asked: codes of the species.
        earlier: the other reviews.
    """
    known: Stretches = defaultdict(list)
    data_set = known_files()
    if ANNOTATIONS.exists():
        table = read_table(ANNOTATIONS, COLUMNS)
        table = table[table.species.isin(asked)]
        begin, end = (to_numbers(ANNOTATIONS, table, column) for column in ("t_min", "t_max"))
        for row, first, last in zip(table.itertuples(), begin, end, strict=True):
            known[(TRAIN, row.recording_id), row.species].append((first, last))
    for session in earlier:
        for item in session.items.values():
            # An item has no split where the sample was of a part of the data set.
            recording_id, split = data_set.get(os.path.abspath(item.file), (item.recording_id, item.split))
            known[recording_of(split, recording_id, item.file), item.species].append((item.start_s, item.end_s))
    return known


def is_known(known: Stretches, recording: Recording, code: str, start: float, end: float) -> bool:
    """Whether at least `KNOWN_PART` of a stretch, or of what is known in it, is known."""
    return any(
        min(end, last) - max(start, first) >= KNOWN_PART * min(end - start, last - first)
        for first, last in known.get((recording, code), ())
    )


def unlabelled_windows(scored: ScoredWindows, code: str, known: Stretches) -> NDArray[np.int64]:
    """The rows of the windows outside the test recordings of which it is not known whether a species is present."""
    table = scored.recordings
    recordings = [recording_of(*each) for each in zip(table.split, table.recording_id, table.file, strict=True)]
    is_free = table.split.to_numpy()[scored.recording] != TEST
    is_labelled = np.array([(recording, code) in known for recording in recordings], bool)
    for row in np.flatnonzero(is_free & is_labelled[scored.recording]):
        start = scored.starts[row]
        end = start + scored.window_seconds
        is_free[row] = not is_known(known, recordings[scored.recording[row]], code, start, end)
    return np.flatnonzero(is_free)
