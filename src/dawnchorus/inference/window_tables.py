"""Tables of window scores: Parquet files with recording_id, start (s) and a column for each species.

Rows are in the order of recordings, and of time in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dawnchorus.errors import InputError

RECORDING, START = "recording_id", "start"
REMEDY = "run `make verify`, then repeat the command"


@dataclass(frozen=True)
class Windows:
    """Scores of the windows of recordings.

    Attributes:
        recording_ids: the recordings, each once.
        n_windows: number of windows of each recording, shape [Recordings].
        starts: start of each window, recording by recording, s, shape [Windows].
        scores: shape [Windows, Species].
    """

    recording_ids: list[str]
    n_windows: NDArray[np.int64]
    starts: NDArray[np.float64]
    scores: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        recording_ids: Sequence[str],
        starts: Sequence[NDArray[np.floating]],
        scores: Sequence[NDArray[np.floating]],
        n_species: int,
    ) -> "Windows":
        """Join the windows of recordings.

        Args:
            recording_ids: the recordings.
            starts: the starts of each recording's windows, s, shape [Windows].
            scores: their scores, shape [Windows, Species].
            n_species: number of species.
        """
        joined = np.concatenate([np.empty((0, n_species)), *scores])
        return cls(
            list(recording_ids), np.array([len(one) for one in starts], int), np.concatenate([np.empty(0), *starts]),
            joined.astype(np.float32),
        )  # fmt: skip

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """The row of each recording's first window, and the number of all windows, shape [Recordings + 1]."""
        return np.append(0, np.cumsum(self.n_windows))

    @cached_property
    def recordings(self) -> NDArray[np.int64]:
        """The index of each window's recording, shape [Windows]."""
        return np.repeat(np.arange(len(self.n_windows)), self.n_windows)

    def clip_scores(self) -> NDArray[np.float32]:
        """The maximum over the windows of each recording, shape [Recordings, Species]."""
        if not len(self.n_windows):
            return self.scores[:0]
        return np.maximum.reduceat(self.scores, self.edges[:-1], axis=0)


def join_windows(parts: Sequence[Windows]) -> Windows:
    """Join the windows of different recordings. Of a recording in several parts, the scores are averaged.

    Args:
        parts: at least one; a recording has the same windows in each.
    """
    rows: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float32]]]] = {}
    for part in parts:
        for name, first, last in zip(part.recording_ids, part.edges[:-1], part.edges[1:], strict=True):
            rows.setdefault(name, []).append((part.starts[first:last], part.scores[first:last]))
    return Windows.of(
        list(rows), [several[0][0] for several in rows.values()],
        [np.mean([scores for _, scores in several], axis=0) for several in rows.values()], parts[0].scores.shape[1],
    )  # fmt: skip


def write_windows(path: Path, windows: Windows, species: Sequence[str]) -> None:
    """Write a table of window scores.

    Args:
        path: the Parquet file.
        windows: the scores.
        species: the codes, which become columns, shape [Species].
    """
    names = pa.DictionaryArray.from_arrays(
        pa.array(windows.recordings, pa.int32()), pa.array(windows.recording_ids, pa.string())
    )
    columns = [names, pa.array(windows.starts), *(pa.array(column) for column in windows.scores.T)]
    pq.write_table(pa.table(columns, [RECORDING, START, *species]), path, compression="zstd")


def read_windows(path: Path, species: Sequence[str]) -> Windows:
    """Read a file from `write_windows`.

    Args:
        path: the file.
        species: the codes that must be its columns.

    Raises:
        InputError: the file is missing or damaged, or its species are others.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read: {error}; {REMEDY}") from error
    expected = [RECORDING, START, *species]
    if table.column_names != expected:
        raise InputError(
            f"{path}: has the columns {', '.join(table.column_names)}, expected {', '.join(expected)}; {REMEDY}"
        )
    names = table[RECORDING].combine_chunks().dictionary_encode()
    numbers = names.indices.to_numpy()
    scores = np.stack([table[code].to_numpy() for code in species], axis=1).astype(np.float32)
    if (np.diff(numbers) < 0).any() or not ((scores >= 0) & (scores <= 1)).all():
        raise InputError(f"{path}: has unsorted rows, or scores that are not from 0 to 1; {REMEDY}")
    recording_ids = names.dictionary.to_pylist()
    return Windows(recording_ids, np.bincount(numbers, minlength=len(recording_ids)), table[START].to_numpy(), scores)
