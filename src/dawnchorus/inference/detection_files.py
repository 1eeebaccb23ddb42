"""The files that `dawnchorus detect` writes, recording by recording, so that memory does not grow with their number."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dawnchorus.data.recordings import escaped
from dawnchorus.files import replacing
from dawnchorus.inference.detections import COLUMNS, PRESENCE_COLUMNS, Detector, hours_of_day
from dawnchorus.inference.journal import Scored

# Decimal places of times (the millisecond), scores and probabilities.
TIME_DIGITS, SCORE_DIGITS = 3, 6
# Rows that are written to a file at once.
ROWS = 100_000
NUMBERS = ("start_s", "end_s", "score", "probability", "threshold")
SCHEMA = pa.schema([(name, pa.float64() if name in NUMBERS else pa.string()) for name in COLUMNS])
DETECTIONS, PRESENCE, ACTIVITY = "detections", "species_by_recording.csv", "activity.csv"
RECORDINGS, UNREADABLE = "recordings.csv", "unreadable.csv"
RECORDING_COLUMNS = ["recording", "site", "start", "seconds", "sample_rate", "channels", "file"]


def write_detections(
    output: Path,
    recordings: Mapping[str, Path],
    sites: Mapping[str, str],
    scores_of: Callable[[str], Scored],
    detector: Detector,
    problems: Mapping[str, str],
) -> tuple[dict[str, tuple[int, int]], pd.DataFrame]:
    """Write the detections in all scored recordings.

    These are `detections.csv` and `detections.parquet`, `species_by_recording.csv`, `activity.csv`, `recordings.csv`,
    and `unreadable.csv`.

    Args:
        output: an existing folder.
        recordings: all audio files by recording_id, in the order of the tables.
        sites: the site of each recording, by recording_id; empty where it is unknown.
        scores_of: reads the scores of a recording.
        detector: makes detections of them.
        problems: why recordings could not be scored, by recording_id.

    Returns:
        For each species code that was detected, the number of detections and of recordings that have some; and
        the scored recordings with the columns `RECORDING_COLUMNS`, indexed by recording_id.
    """
    counts: Counter[str] = Counter()
    places: Counter[str] = Counter()
    facts = []
    by_hour: Counter[tuple[str, int, str]] = Counter()
    with (
        replacing(output / f"{DETECTIONS}.csv") as csv,
        replacing(output / f"{DETECTIONS}.parquet") as parquet,
        replacing(output / PRESENCE) as presence,
        csv.open("w", encoding="utf-8", newline="") as csv_file,
        presence.open("w", encoding="utf-8", newline="") as presence_file,
        pq.ParquetWriter(parquet, SCHEMA, compression="zstd") as writer,
    ):
        pd.DataFrame(columns=COLUMNS).to_csv(csv_file, index=False)
        pd.DataFrame(columns=PRESENCE_COLUMNS).to_csv(presence_file, index=False)

        def write_found(found: pd.DataFrame) -> None:
            found = rounded(found)
            found.to_csv(csv_file, index=False, header=False, float_format="%.10g")
            writer.write_table(pa.Table.from_pandas(found, SCHEMA, preserve_index=False))
            by_hour.update(hours_of_day(found).to_dict())
            counts.update(found.species)
            places.update(found.drop_duplicates(["recording", "species"]).species)

        def write_presence(table: pd.DataFrame) -> None:
            rounded(table).to_csv(presence_file, index=False, header=False, float_format="%.10g")

        all_found, all_presence = _Pieces(write_found), _Pieces(write_presence)
        for name, path in recordings.items():
            if name in problems:
                continue
            scored = scores_of(name)
            site = sites[name]
            facts.append((name, site, scored.start, scored.seconds, scored.sample_rate, scored.channels, escaped(path)))
            found = detector.detections(name, site, path, scored)
            all_found.add(found)
            all_presence.add(detector.presence(name, site, scored, found))
        all_found.end()
        all_presence.end()
    activity = [(*key, count) for key, count in sorted(by_hour.items())]
    with replacing(output / ACTIVITY) as path:
        pd.DataFrame(activity, columns=["site", "hour", "species", "detections"]).to_csv(path, index=False)
    facts_table = pd.DataFrame(facts, columns=RECORDING_COLUMNS)
    with replacing(output / RECORDINGS) as path:
        facts_table.to_csv(path, index=False, float_format="%.10g")
    with replacing(output / UNREADABLE) as path:
        pd.DataFrame(
            {"recording": list(problems), "file": [escaped(recordings[name]) for name in problems],
             "problem": list(problems.values())}
        ).to_csv(path, index=False)  # fmt: skip
    return {code: (count, places[code]) for code, count in counts.items()}, facts_table.set_index("recording")


class _Pieces:
    """Collects the tables of recordings, and writes many as one, because each call takes pandas milliseconds."""

    def __init__(self, write: Callable[[pd.DataFrame], None]) -> None:
        self._write = write
        self._tables: list[pd.DataFrame] = []
        self._rows = 0

    def add(self, table: pd.DataFrame) -> None:
        """Add the table of a recording, which may be empty."""
        if table.empty:
            return
        self._tables.append(table)
        self._rows += len(table)
        if self._rows >= ROWS:
            self.end()

    def end(self) -> None:
        """Write what has been collected."""
        if self._tables:
            self._write(pd.concat(self._tables, ignore_index=True))
        self._tables, self._rows = [], 0


def as_labels(detections: pd.DataFrame) -> pd.DataFrame:
    """Convert a table of detections to the labels that `formats.writing.write_labels` takes."""
    return pd.DataFrame(
        {
            "recording_id": detections.recording,
            "species": detections.species,
            "t_min": detections.start_s.astype(float),
            "t_max": detections.end_s.astype(float),
            "f_min": np.nan,
            "f_max": np.nan,
            "label": "present",
            "annotator": "",
            "channel": detections.channel.astype(str).replace("mean", "1"),
            "score": detections.score,
            "probability": detections.probability,
        }
    )


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Round times to the millisecond, and scores and probabilities to six places."""
    digits = dict.fromkeys(("start_s", "end_s"), TIME_DIGITS) | dict.fromkeys(("score", "probability"), SCORE_DIGITS)
    return table.astype({"score": float}).round({name: digits[name] for name in digits if name in table.columns})
