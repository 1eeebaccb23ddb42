"""When and where species call, relative to what was recorded."""

import numpy as np
import pandas as pd

from dawnchorus.reporting.report.activity import (
    Activity,
    Peak,
    by_day,
    by_hour,
    by_site,
    calling_days,
    peak,
    recorded_pieces,
)

OFFSET = "-04:00"


def recordings_of(rows: dict[str, tuple[str, float, str]]) -> pd.DataFrame:
    """Recordings with start, seconds and site, by recording_id."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=["start", "seconds", "site"])


def detections_of(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["recording", "species", "clock_time"])


def test_a_recording_counts_for_each_hour_of_its_own_clock() -> None:
    assert recorded_pieces(f"2024-06-01T23:40:00{OFFSET}", 3 * 3600) == [
        ("2024-06-01", "23", 1200), ("2024-06-02", "00", 3600), ("2024-06-02", "01", 3600), ("2024-06-02", "02", 2400)
    ]  # fmt: skip


def test_rates_are_detections_per_recorded_hour() -> None:
    recordings = recordings_of(
        {"a": (f"2024-06-01T05:30:00{OFFSET}", 3600.0, ""), "b": (f"2024-06-02T05:00:00{OFFSET}", 5400.0, ""),
         "c": ("", 3600.0, "")}
    )  # fmt: skip
    found = detections_of(
        [("a", "owl", f"2024-06-01T05:45:00.000{OFFSET}"), ("b", "owl", f"2024-06-02T05:10:00.000{OFFSET}"),
         ("b", "owl", f"2024-06-02T06:10:00.000{OFFSET}"), ("c", "owl", "")]
    )  # fmt: skip
    hours = by_hour(found, recordings, ["owl", "lark"])
    assert hours is not None
    assert hours.hours[[5, 6, 7]].tolist() == [1.5, 1.0, 0.0]
    assert hours.counts[0, [5, 6, 7]].tolist() == [2, 1, 0]
    assert hours.counts[1].sum() == 0
    np.testing.assert_allclose(hours.rates[0, [5, 6, 7]], [2 / 1.5, 1.0, np.nan])
    days = by_day(found, recordings, ["owl"])
    assert days is not None
    assert days.bins == ["2024-06-01", "2024-06-02"]
    assert days.hours.tolist() == [1.0, 1.5]
    assert days.counts.tolist() == [[1, 2]]


def test_long_periods_are_shown_by_month_or_year() -> None:
    recordings = recordings_of(
        {"a": (f"2023-11-30T05:00:00{OFFSET}", 60.0, ""), "b": (f"2024-02-01T05:00:00{OFFSET}", 60.0, "")}
    )
    days = by_day(detections_of([("b", "owl", f"2024-02-01T05:00:30.000{OFFSET}")]), recordings, ["owl"])
    assert days is not None
    assert days.bins == ["2023-11", "2023-12", "2024-01", "2024-02"]
    assert days.counts.tolist() == [[0, 0, 0, 1]]
    # A recorder whose clock was reset is no reason for hundreds of months.
    recordings = recordings_of(
        {"a": ("1970-01-01T00:00:00+00:00", 60.0, ""), "b": (f"2024-02-01T05:00:00{OFFSET}", 60.0, "")}
    )
    days = by_day(detections_of([]), recordings, ["owl"])
    assert days is not None
    assert (days.bins[0], days.bins[-1], len(days.bins)) == ("1970", "2024", 55)


def test_sites_are_those_of_the_recordings_and_some_may_have_none() -> None:
    recordings = recordings_of(
        {"a": ("", 1800.0, "ridge"), "b": ("", 1800.0, "river"), "c": ("", 1800.0, ""), "d": ("", 1800.0, "ridge")}
    )
    found = by_site(detections_of([("a", "owl", ""), ("c", "owl", ""), ("d", "lark", "")]), recordings, ["owl", "lark"])
    assert found is not None
    assert found.bins == ["ridge", "river"]
    assert found.counts.tolist() == [[1, 0], [1, 0]]
    assert found.hours.tolist() == [1.0, 0.5]


def test_without_clock_times_and_sites_there_is_nothing_to_show() -> None:
    recordings = recordings_of({"a": ("", 60.0, "")})
    found = detections_of([("a", "owl", "")])
    assert by_hour(found, recordings, ["owl"]) is None
    assert by_day(found, recordings, ["owl"]) is None
    assert by_site(found, recordings, ["owl"]) is None


def hours_with(counts: dict[int, int], recorded: dict[int, float]) -> Activity:
    """Activity of one species by hour; hours that `recorded` does not name were recorded for one hour."""
    found = Activity([f"{hour:02d}" for hour in range(24)], np.zeros((1, 24), int), np.ones(24))
    for hour, count in counts.items():
        found.counts[0, hour] = count
    for hour, length in recorded.items():
        found.hours[hour] = length
    return found


def peak_of(activity: Activity) -> Peak | None:
    """The peak of the first species, where each detection is on a day of its own."""
    return peak(activity, 0, np.repeat(np.eye(24), activity.counts[0], axis=0))


def test_a_peak_may_be_around_midnight() -> None:
    top = peak_of(hours_with({23: 5, 0: 6, 1: 4, 12: 2}, {}))
    assert top is not None
    assert str(top) == "23:00 to 02:00"
    assert top.calls == 15 / 17
    assert top.recorded == 3 / 24


def test_more_recording_is_no_peak() -> None:
    assert peak_of(hours_with({5: 12, 12: 2}, {5: 140.0})) is None


def test_among_many_species_a_peak_must_be_clearer() -> None:
    alone = hours_with({5: 6, 12: 2, 20: 2}, {})
    assert peak_of(alone) is not None
    many = Activity(alone.bins, np.concatenate([alone.counts, np.ones((60, 24), int)]), alone.hours)
    assert peak_of(many) is None


def test_few_or_no_detections_are_no_peak() -> None:
    assert peak_of(hours_with({5: 2}, {})) is None
    assert peak_of(hours_with({}, {})) is None


def mornings(days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole days at a site, on each of which an owl is detected six times from 5 to 8, and once at noon."""
    dates = [f"2024-06-{day:02d}" for day in range(1, days + 1)]
    recordings = recordings_of({date: (f"{date}T00:00:00{OFFSET}", 24 * 3600.0, "hill") for date in dates})
    times = ["05:10", "05:20", "06:10", "06:20", "07:10", "07:20", "12:00"]
    return detections_of([(date, "owl", f"{date}T{time}:00{OFFSET}") for date in dates for time in times]), recordings


def test_detections_of_one_morning_are_one_event() -> None:
    one = calling_days(*mornings(1), "owl")
    assert one.tolist() == [[0.25 if hour in (5, 6, 7, 12) else 0 for hour in range(24)]]
    for days, is_peak in ((1, False), (2, False), (8, True)):
        detections, recordings = mornings(days)
        found = by_hour(detections, recordings, ["owl"])
        assert found is not None
        top = peak(found, 0, calling_days(detections, recordings, "owl"))
        assert (top is not None) == is_peak
    assert top is not None
    assert str(top) == "05:00 to 08:00"
    assert top.calls == 6 / 7


def test_hours_of_chance_are_no_peak() -> None:
    """Recordings of a minute, ten in each hour, in which an owl calls at any hour, and then several times."""
    rng = np.random.default_rng(0)
    n_peaks = 0
    for _ in range(50):
        starts = [f"2024-06-{day:02d}T{hour:02d}:00:00{OFFSET}" for day in range(1, 11) for hour in range(24)]
        recordings = recordings_of({start: (start, 60.0, "") for start in starts})
        calling = [start for start in starts if rng.random() < 0.1]
        detections = detections_of([(start, "owl", start) for start in calling for _ in range(10)])
        found = by_hour(detections, recordings, ["owl"])
        assert found is not None
        n_peaks += peak(found, 0, calling_days(detections, recordings, "owl")) is not None
    # Of the detections alone, the same test finds peaks in nearly all of the fifty.
    assert n_peaks <= 5
