"""When the recordings of the embedded data set start: one recorder, and species that call at hours of their own.

Hours are drawn after it is known which species call where, so they change neither sounds nor labels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.demo import Demo
from dawnchorus.seeding import generator

ZONE = timezone(timedelta(hours=-4))
FIRST_DAY = datetime(2024, 6, 3, tzinfo=ZONE)
# The recorder wakes up every so many minutes, for two weeks or longer, half as often again as needed.
MINUTES, DAYS, SPARE = 30, 14, 1.5
# Hour of the highest activity, and how narrow the peak is: at 8, it falls to half in an hour and a half.
PEAKS = {"dawn": (6.0, 8.0), "day": (12.0, 3.0), "dusk": (18.5, 8.0), "night": (0.0, 3.0)}


def draw_activity(demo: Demo, prevalence: Sequence[float]) -> NDArray[np.float64]:
    """Draw when each species calls: at dawn, by day, at dusk or at night.

    A species that calls in nearly all recordings calls at nearly all hours.

    Args:
        demo: parameters of the data set.
        prevalence: of each species, as a fraction of recordings.

    Returns:
        Relative activity in each hour of the day, at most 1, shape [Species, 24].
    """
    rng = generator(demo.seed, "activity")
    peaks = list(PEAKS.values())
    # Each kind in turn, so that there are all of them.
    kinds = rng.permutation(np.arange(len(prevalence)) % len(peaks))
    hours = np.arange(24) + 0.5
    found = []
    for kind, part in zip(kinds, prevalence, strict=True):
        hour, narrow = peaks[kind]
        bump = np.exp(narrow * (np.cos(2 * np.pi * (hours - hour) / 24) - 1))
        found.append(part**2 + (1 - part**2) * bump)
    return np.array(found)


def draw_starts(
    demo: Demo, activity: NDArray[np.floating], truth: Mapping[str, NDArray[np.bool_]]
) -> dict[str, list[datetime]]:
    """Draw when each recording starts. An hour is the likelier, the more active all species are that call.

    Args:
        demo: parameters of the data set.
        activity: from `draw_activity`, shape [Species, 24].
        truth: which species call in the recordings of each split, shape [Recordings, Species] each.

    Returns:
        The starts by split; no two are the same.
    """
    rng = generator(demo.seed, "starts")
    present = np.concatenate(list(truth.values()))
    minutes = MINUTES * int(np.ceil(demo.seconds / 60 / MINUTES))
    per_day = 24 * 60 // minutes
    n_days = max(DAYS, int(np.ceil(SPARE * len(present) / per_day)))
    slots = rng.permutation(n_days * per_day)
    # The free slots of each hour, in random order.
    free = [slots[slots % per_day * minutes // 60 == hour].tolist() for hour in range(24)]
    chance = np.exp(present.astype(float) @ np.log(activity))
    chosen = np.empty(len(present), int)
    # In random order, so that no split gets the hours that the other has left.
    for number in rng.permutation(len(present)):
        weight = chance[number] * [len(each) > 0 for each in free]
        chosen[number] = free[rng.choice(24, p=weight / weight.sum())].pop()
    starts = iter([FIRST_DAY + timedelta(minutes=minutes * int(slot)) for slot in chosen])
    return {split: [next(starts) for _ in rows] for split, rows in truth.items()}


def audiomoth_comment(start: datetime) -> str:
    """What an AudioMoth writes into the header of a recording."""
    hours = (start.utcoffset() or timedelta()) // timedelta(hours=1)
    return f"Recorded at {start:%H:%M:%S %d/%m/%Y} (UTC{hours:+d}) by AudioMoth."
