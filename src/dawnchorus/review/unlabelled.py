"""What is known of training windows, and those that nobody has labelled."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawnchorus.data.annotations import COLUMNS
from dawnchorus.data.tables import read_table, to_numbers
from dawnchorus.review.scores import ScoredWindows
from dawnchorus.review.session import Session

ANNOTATIONS = Path("data/annotations.csv")
# Part of a window that is known already, from which on it is not asked about again.
KNOWN_PART = 0.5

# Stretches of recordings, start and end (s), by recording_id and species.
Stretches = dict[tuple[str, str], list[tuple[float, float]]]


def known_stretches(asked: Sequence[str], earlier: Sequence[Session]) -> Stretches:
    """What experts have labelled, and what other reviews ask about.

    Args:
        asked: codes of the species.
        earlier: the other reviews.
    """
    known: Stretches = defaultdict(list)
    if ANNOTATIONS.exists():
        table = read_table(ANNOTATIONS, COLUMNS)
        table = table[table.species.isin(asked)]
        begin, end = (to_numbers(ANNOTATIONS, table, column) for column in ("t_min", "t_max"))
        for row, first, last in zip(table.itertuples(), begin, end, strict=True):
            known[row.recording_id, row.species].append((first, last))
    for session in earlier:
        for item in session.items.values():
            known[item.recording_id, item.species].append((item.start_s, item.end_s))
    return known


def is_known(known: Stretches, recording_id: str, code: str, start: float, end: float) -> bool:
    """Whether at least `KNOWN_PART` of a stretch, or of what is known in it, is known."""
    return any(
        min(end, last) - max(start, first) >= KNOWN_PART * min(end - start, last - first)
        for first, last in known.get((recording_id, code), ())
    )


def unlabelled_windows(scored: ScoredWindows, code: str, known: Stretches) -> NDArray[np.int64]:
    """The rows of the windows outside the test recordings of which it is not known whether a species is present."""
    names = scored.recordings.recording_id.to_numpy()
    is_free = scored.recordings.split.to_numpy()[scored.recording] != "test"
    labelled = {name for name, species in known if species == code}
    for row in np.flatnonzero(is_free & np.isin(names, list(labelled))[scored.recording]):
        start = scored.starts[row]
        end = start + scored.window_seconds
        is_free[row] = not is_known(known, names[scored.recording[row]], code, start, end)
    return np.flatnonzero(is_free)
