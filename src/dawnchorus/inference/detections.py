"""Tables of detections: what calls when, in which recording, and how sure that is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dawnchorus.inference.events import find_events
from dawnchorus.inference.journal import Scored
from dawnchorus.inference.thresholds import WindowModel
from dawnchorus.models.bundle import Species
from dawnchorus.wording import score_text

COLUMNS = ["recording", "site", "channel", "start_s", "end_s", "clock_time", "species", "scientific_name",
           "common_name", "score", "probability", "threshold", "file"]  # fmt: skip
NAMES = ("species", "scientific_name", "common_name")
PRESENCE_COLUMNS = ["recording", "site", "species", "presence", "detections", "score", "probability"]
PRESENT, ABSENT, UNSURE = "present", "absent", "unsure"


@dataclass(frozen=True)
class Detector:
    """How window scores become detections.

    Attributes:
        species: in the order of scores.
        model: probabilities of scores.
        thresholds: of each species; NaN for one that is never detected, shape [Species].
        precision: that the thresholds were chosen for.
        window_seconds: length of a window, s.
        gap_seconds: see `find_events`.
        min_seconds: see `find_events`.
    """

    species: Sequence[Species]
    model: WindowModel
    thresholds: NDArray[np.float64]
    precision: float
    window_seconds: float
    gap_seconds: float
    min_seconds: float

    def detections(self, name: str, site: str, path: Path, scored: Scored) -> pd.DataFrame:
        """The detections in a recording, with the columns `COLUMNS`, by channel and start.

        Args:
            name: recording_id.
            site: of the recording; empty if it is unknown.
            path: of its file.
            scored: its window scores.
        """
        parts = []
        channels: list[str] = []
        for channel in np.unique(scored.channel):
            rows = scored.channel == channel
            events = find_events(
                scored.starts[rows], scored.scores[rows], self.thresholds, self.window_seconds, self.gap_seconds,
                scored.seconds, self.min_seconds,
            )  # fmt: skip
            parts.append(events)
            channels += ["mean" if channel == 0 else str(channel)] * len(events)
        found = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        number, score = found.species_id.to_numpy(), found.score.to_numpy()
        begin = datetime.fromisoformat(scored.start) if scored.start else None
        columns = {
            "recording": name,
            "site": site,
            "channel": channels,
            "start_s": found.start_s,
            "end_s": found.end_s,
            "clock_time": [
                "" if begin is None else (begin + timedelta(seconds=start)).isoformat(timespec="milliseconds")
                for start in found.start_s.tolist()
            ],
            **{column: [getattr(self.species[index], column) for index in number] for column in NAMES},
            "score": score,
            "probability": self.model.of_species(number).probabilities(score),
            "threshold": self.thresholds[number],
            "file": str(path),
        }
        # A column at a time takes pandas several times as long.
        return pd.DataFrame(columns, found.index)

    def presence(self, name: str, site: str, scored: Scored, detections: pd.DataFrame) -> pd.DataFrame:
        """Whether each species is in a recording, with the columns `PRESENCE_COLUMNS`.

        A species is present if it is detected, and absent if the probability that it calls in any window is below
        1 - precision. It is unsure otherwise, and always if its probability is unknown.
        """
        scores = scored.scores.max(axis=0)
        probabilities = self.model.probabilities(scores)
        anywhere = np.maximum(probabilities, self._anywhere(scored))
        codes = [each.species for each in self.species]
        found = Counter(detections.species)
        counts = np.array([found[code] for code in codes])
        absent_or_not = np.where(anywhere < 1 - self.precision, ABSENT, UNSURE)
        columns = {
            "recording": name,
            "site": site,
            "species": codes,
            "presence": np.where(counts > 0, PRESENT, absent_or_not),
            "detections": counts,
            "score": scores,
            "probability": probabilities,
        }
        return pd.DataFrame(columns)

    def _anywhere(self, scored: Scored) -> NDArray[np.float64]:
        """The probability that each species calls in any window, shape [Species].

        Windows that overlap count in part, as if those next to each other were independent, and channels as one.
        """
        found = np.zeros(len(self.species))
        for channel in np.unique(scored.channel):
            probabilities = self.model.probabilities(scored.scores[scored.channel == channel])
            n_apart = max(1.0, scored.seconds / self.window_seconds)
            with np.errstate(divide="ignore"):
                logs = np.log1p(-probabilities).mean(axis=0) * min(len(probabilities), n_apart)
            found = np.maximum(found, -np.expm1(logs))
        return found


def hours_of_day(detections: pd.DataFrame) -> pd.Series:
    """Count the detections whose clock time is known, indexed by site, hour of the day and species."""
    known = detections[detections.clock_time != ""]
    hour = known.clock_time.str[11:13].astype(int).rename("hour")
    return known.groupby([known.site, hour, known.species]).size()


def species_lines(thresholds: pd.DataFrame, counts: Mapping[str, tuple[int, int]], n_recordings: int) -> list[str]:
    """A line per species for people: how often it was detected, and how far that can be trusted.

    Args:
        thresholds: the table from `threshold_tables.read_thresholds`, or that with thresholds of the user's own, which
            have no precision.
        counts: number of detections and of recordings that have some, by code.
        n_recordings: number of all scored recordings.
    """
    width = thresholds.species.str.len().max()
    lines = []
    for row in thresholds.itertuples():
        found, where = counts.get(row.species, (0, 0))
        line = f"{row.species:{width}}  {found} detections in {where} of {n_recordings} recordings"
        if np.isnan(row.threshold):
            lines.append(f"{row.species:{width}}  no threshold: {row.no_promise}")
        elif np.isnan(row.precision):
            lines.append(f"{line} (threshold {score_text(row.threshold)})")
        elif row.no_promise:
            lines.append(
                f"{line} (threshold {score_text(row.threshold)}; precision cannot be promised: {row.no_promise})"
            )
        else:
            trust = f"precision {row.precision:.2f}, at least {row.precision_low:.2f}"
            lines.append(f"{line} (threshold {score_text(row.threshold)}: {trust})")
    return lines
