"""When and where species call: detections by hour of the day, day and site, relative to the time that was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

HOURS = [f"{hour:02d}" for hour in range(24)]
# Longer periods are shown by month, or by year. These are the lengths of a date, of a month and of a year in ISO 8601.
MOST_BINS, LENGTHS = 62, (10, 7, 4)
# Hours in which most of a species' calls are looked for, and the chance that any species seems to have such hours.
SPAN, CHANCE = 3, 0.05


@dataclass(frozen=True)
class Activity:
    """Detections in bins of time or place.

    Attributes:
        bins: names of the bins.
        counts: number of detections, shape [Species, Bins].
        hours: hours that were recorded, shape [Bins].
    """

    bins: list[str]
    counts: NDArray[np.int64]
    hours: NDArray[np.float64]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Detections per recorded hour; NaN where nothing was recorded, shape [Species, Bins]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.hours > 0, self.counts / self.hours, np.nan)


def recorded_pieces(start: str, seconds: float) -> list[tuple[str, str, float]]:
    """Split a recording at full hours of its clock: date, hour and seconds of each piece.

    Args:
        start: when it begins, ISO 8601.
        seconds: its length.
    """
    begin, left = datetime.fromisoformat(start), seconds
    pieces: list[tuple[str, str, float]] = []
    while left > 0 or not pieces:
        following = begin.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        piece = min(left, (following - begin).total_seconds())
        pieces.append((begin.date().isoformat(), HOURS[begin.hour], piece))
        left -= piece
        begin = following
    return pieces


def by_hour(detections: pd.DataFrame, recordings: pd.DataFrame, species: Sequence[str]) -> Activity | None:
    """Detections by hour of the day; None if no clock time is known.

    Args:
        detections: table from `tables.read_detections`.
        recordings: the recordings that were searched, with start and seconds.
        species: the codes of the species.
    """
    pieces = _pieces(recordings)
    if pieces.empty:
        return None
    known = detections[detections.clock_time != ""]
    return _activity(HOURS, known.clock_time.str[11:13], known.species, pieces.groupby("hour").seconds.sum(), species)


def by_day(detections: pd.DataFrame, recordings: pd.DataFrame, species: Sequence[str]) -> Activity | None:
    """Detections by date, or by month or year if they are from a long period; None if no clock time is known.

    The arguments are those of `by_hour`.
    """
    pieces = _pieces(recordings)
    if pieces.empty:
        return None
    days = pd.date_range(pieces.date.min(), pieces.date.max()).strftime("%Y-%m-%d")
    length, bins = next(
        (length, bins)
        for length in LENGTHS
        if len(bins := list(dict.fromkeys(days.str[:length]))) <= MOST_BINS or length == LENGTHS[-1]
    )
    known = detections[detections.clock_time != ""]
    recorded = pieces.groupby(pieces.date.str[:length]).seconds.sum()
    return _activity(bins, known.clock_time.str[:length], known.species, recorded, species)


def by_site(detections: pd.DataFrame, recordings: pd.DataFrame, species: Sequence[str]) -> Activity | None:
    """Detections by site; None if no site is known.

    Args:
        detections: as in `by_hour`.
        recordings: the recordings that were searched, with site and seconds, indexed by recording_id.
        species: the codes of the species.
    """
    sites = recordings.site[recordings.site != ""]
    if sites.empty:
        return None
    where = detections.recording.map(sites).dropna()
    recorded = recordings.seconds.groupby(recordings.site).sum()
    return _activity(sorted(set(sites)), where, detections.species[where.index], recorded, species)


def _pieces(recordings: pd.DataFrame) -> pd.DataFrame:
    known = recordings[recordings.start != ""]
    rows = [piece for start, seconds in zip(known.start, known.seconds, strict=True)
            for piece in recorded_pieces(start, seconds)]  # fmt: skip
    return pd.DataFrame(rows, columns=["date", "hour", "seconds"])


def _activity(
    bins: list[str], bin_of: pd.Series, species_of: pd.Series, recorded: pd.Series, species: Sequence[str]
) -> Activity:
    counts = pd.crosstab(species_of, bin_of).reindex(index=list(species), columns=bins, fill_value=0)
    return Activity(bins, counts.to_numpy(int), recorded.reindex(bins, fill_value=0.0).to_numpy(float) / 3600)


@dataclass(frozen=True)
class Peak:
    """The hours in which a species calls most.

    Attributes:
        first: the first hour, 0 to 23.
        calls: share of its detections in these hours.
        recorded: share of the recorded time in these hours.
    """

    first: int
    calls: float
    recorded: float

    def __str__(self) -> str:
        return f"{self.first:02d}:00 to {(self.first + SPAN) % 24:02d}:00"


def calling_days(detections: pd.DataFrame, recordings: pd.DataFrame, code: str) -> NDArray[np.float64]:
    """The days on which a species was detected, each at one site.

    Args:
        detections: as in `by_hour`.
        recordings: the recordings that were searched, with site, indexed by recording_id.
        code: of the species.

    Returns:
        The part that each hour has in the hours of the day with a detection, shape [Days, 24].
    """
    found = detections[(detections.species == code) & (detections.clock_time != "")]
    day = found.recording.map(recordings.site).fillna("") + " " + found.clock_time.str[:10]
    heard = pd.crosstab(day, found.clock_time.str[11:13]).reindex(columns=HOURS, fill_value=0).to_numpy() > 0
    return heard / heard.sum(axis=1, keepdims=True)


def peak(activity: Activity, species: int, days: NDArray[np.floating]) -> Peak | None:
    """The `SPAN` hours with most more detections of a species than the recorded time explains; None if it is chance.

    One animal may be detected many times in a morning, so a day at a site is one trial of the binomial test, however
    many detections it has.

    Args:
        activity: by hour of the day.
        species: its row.
        days: of the species, as from `calling_days`.
    """
    counts, hours = activity.counts[species], activity.hours
    if not len(days) or not hours.sum():
        return None
    spans = (np.arange(24)[:, None] + np.arange(SPAN)) % 24
    inside, recorded = days[:, spans].sum(axis=(0, 2)), hours[spans].sum(axis=1) / hours.sum()
    # A day that is only partly inside counts in part; parts of a trial are not counted.
    chances = binom.sf(np.floor(inside + 1e-9) - 1, len(days), np.minimum(recorded, 1))
    best = int(np.lexsort((-inside, chances))[0])
    # There are as many chances as spans and species with detections.
    if chances[best] * len(spans) * activity.counts.any(axis=1).sum() > CHANCE:
        return None
    return Peak(best, float(counts[spans[best]].sum() / counts.sum()), float(recorded[best]))
