"""What `dawnchorus detect` has scored so far: a file for each recording, from which a later call goes on.

    windows/run.json               the model and the settings that the scores are of
    windows/<recording_id>.parquet  the scores of the recording's windows

A file is complete if it is there. It holds the stamp of its recording, so that a changed recording is scored again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dawnchorus.errors import InputError
from dawnchorus.files import replacing

FOLDER, RUN = "windows", "run.json"
# What a damaged file raises.
DAMAGE = (OSError, ValueError, TypeError, KeyError, pa.ArrowException)


@dataclass(frozen=True)
class Stamp:
    """What tells whether a file is the same: its path, its size (bytes), and when it was last written (ns)."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The present stamp of a file."""
        found = path.stat()
        return cls(str(path), found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class Scored:
    """The scores of a recording.

    Attributes:
        seconds: length of the sound, s.
        sample_rate: of the file, Hz.
        channels: number of channels.
        start: when it starts, ISO 8601; empty if that is unknown.
        channel: the channel of each window; 0 for the mean of all, shape [Windows].
        starts: start of each window, s, shape [Windows].
        scores: shape [Windows, Species].
    """

    seconds: float
    sample_rate: int
    channels: int
    start: str
    channel: NDArray[np.int64]
    starts: NDArray[np.float64]
    scores: NDArray[np.float32]


# The attributes of `Scored` that are no columns.
FACTS = ("seconds", "sample_rate", "channels", "start")
# Where the file of a recording has its stamp and facts.
KEY = b"dawnchorus"


class Journal:
    """The scored recordings in an output folder."""

    def __init__(self, output: Path, species: Sequence[str]) -> None:
        """Open the journal of an output folder, which may not exist yet."""
        self._folder = output / FOLDER
        self._species = list(species)

    def exists(self) -> bool:
        """Whether a call has begun it."""
        return (self._folder / RUN).exists()

    def begin(self, run: Mapping[str, Any]) -> None:
        """Check that the scores that are there are of the same model and settings.

        Args:
            run: the model's hash, "model", and the settings, as JSON can hold them.

        Raises:
            InputError: they are of others, or the journal is damaged.
        """
        path = self._folder / RUN
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(dict(run), indent=2) + "\n", encoding="utf-8")
            return
        remedy = f"remove {self._folder}, or choose another --output"
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: cannot be read: {error}; {remedy}") from error
        if before.get("model") != run["model"]:
            raise InputError(
                f"{self._folder}: its recordings were scored by another model, perhaps the same before it was trained "
                f"again; {remedy}"
            )
        for key, value in run.items():
            if before.get(key) != value:
                raise InputError(
                    f"{path}: the recordings that were scored before have {key} {before.get(key)!r}, now it is "
                    f"{value!r}; {remedy}"
                )

    def has(self, recording_id: str) -> bool:
        """Whether a recording has scores, perhaps damaged or of an earlier state of its file."""
        return self._path(recording_id).exists()

    def stamp(self, recording_id: str) -> Stamp | None:
        """The stamp of a recording when it was scored; None if it has not been, or if its scores are damaged."""
        try:
            return Stamp(**_content(pq.read_schema(self._path(recording_id)))["stamp"])
        except DAMAGE:
            return None

    def write(self, recording_id: str, stamp: Stamp, scored: Scored) -> None:
        """Add a recording, whose file had this stamp before it was read."""
        columns = [pa.array(scored.channel, pa.int16()), pa.array(scored.starts)]
        columns += [pa.array(column) for column in scored.scores.T]
        content = {"stamp": asdict(stamp), "facts": {name: getattr(scored, name) for name in FACTS}}
        table = pa.table(columns, ["channel", "start", *self._species])
        with replacing(self._path(recording_id)) as path:
            # Scores hardly repeat. Without a dictionary of them, writing takes half the time and memory; and with their
            # first bytes next to each other, a file is a third smaller.
            pq.write_table(
                table.replace_schema_metadata({KEY: json.dumps(content).encode()}), path, compression="zstd",
                use_dictionary=False, use_byte_stream_split=["start", *self._species],
            )  # fmt: skip

    def read(self, recording_id: str, codes: Sequence[str] | None = None) -> Scored:
        """Read a scored recording.

        Args:
            recording_id: of the recording.
            codes: the species to read, in the order of the result's scores; None for all.

        Raises:
            InputError: its file is missing or damaged.
        """
        path = self._path(recording_id)
        try:
            # A thread for each column takes longer than reading them in turn.
            codes = self._species if codes is None else codes
            with pq.ParquetFile(path) as file:
                table = file.read(["channel", "start", *codes], use_threads=False)
            scores = np.empty((table.num_rows, len(codes)), np.float32)
            for number, code in enumerate(codes):
                scores[:, number] = table[code].to_numpy()
            facts = _content(table.schema)["facts"]
            return Scored(**facts, channel=table["channel"].to_numpy(), starts=table["start"].to_numpy(), scores=scores)
        except DAMAGE as error:
            raise InputError(f"{path}: cannot be read: {error}; remove it, and repeat the command") from error

    def _path(self, recording_id: str) -> Path:
        return self._folder / f"{recording_id}.parquet"


def _content(schema: pa.Schema) -> dict[str, Any]:
    return json.loads(schema.metadata[KEY])
