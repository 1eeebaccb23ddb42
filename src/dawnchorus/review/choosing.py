"""Which windows to ask about: to measure a model, to improve it, or to confirm what it found.

Functions take arrays of windows for one species, and return positions in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawnchorus.inference.strata import count_strata, log_strata


@dataclass(frozen=True)
class Sample:
    """Windows that were drawn at random, each stratum by itself.

    Attributes:
        rows: positions of the drawn windows, shape [Items].
        strata: stratum of every window, from 1 (lowest scores), shape [Windows].
        inclusion: how likely each drawn window was drawn, shape [Items].
    """

    rows: NDArray[np.int64]
    strata: NDArray[np.int64]
    inclusion: NDArray[np.float64]


def draw_sample(scores: NDArray[np.floating], n_items: int, rng: np.random.Generator) -> Sample:
    """Draw windows to measure a species with: about equally many from each of `log_strata`, without replacement.

    Args:
        scores: of all windows, shape [Windows].
        n_items: number of windows to draw; all are drawn if there are no more.
        rng: random generator.
    """
    n_items = min(n_items, len(scores))
    n_strata = count_strata(len(scores), n_items)
    strata = log_strata(scores, n_strata, rng)
    sizes = np.bincount(strata, minlength=n_strata + 1)[1:]
    counts = np.zeros(n_strata, int)
    # The strata of the highest scores get what is left over, and what smaller strata cannot take.
    while counts.sum() < n_items:
        open_strata = np.flatnonzero(counts < sizes)[::-1]
        share = max(1, (n_items - counts.sum()) // len(open_strata))
        for stratum in open_strata:
            counts[stratum] += min(share, sizes[stratum] - counts[stratum], n_items - counts.sum())
    rows = [
        np.sort(rng.choice(np.flatnonzero(strata == stratum + 1), count, replace=False))
        for stratum, count in enumerate(counts)
    ]
    return Sample(np.concatenate(rows), strata, np.repeat(counts / np.maximum(sizes, 1), counts))


def rank_uncertain(probabilities: NDArray[np.floating], disagreement: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much an answer is likely to teach: the mean of two ranks, 0 to 1, shape [Windows].

    The ranks are those of the margin, how near the probability is to 0.5, and of the disagreement of the members, which
    form a committee (Seung et al. 1992). If all members agree everywhere, the margin decides alone.

    Args:
        probabilities: shape [Windows].
        disagreement: standard deviation of the members' log odds, shape [Windows].
    """
    margin = _ranks(-np.abs(probabilities - 0.5))
    if not len(disagreement) or np.ptp(disagreement) == 0:
        return margin
    return (margin + _ranks(disagreement)) / 2


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, number = np.unique(values, return_inverse=True)
    return number / max(1, number.max(initial=0))


def choose_diverse(
    priorities: Sequence[NDArray[np.floating]], recordings: NDArray[np.integer], sites: Sequence[str], n_items: int
) -> NDArray[np.int64]:
    """Choose windows of high priority from many sites and recordings.

    One window after another is chosen, from the sites and recordings that have the fewest so far. Among those, the
    highest priority wins; the first window is chosen by the first priority, the next by the second, and so on in turns.

    Args:
        priorities: one or several, shape [Windows] each.
        recordings: number of each window's recording, shape [Windows].
        sites: of each window, shape [Windows].
        n_items: number of windows to choose.

    Returns:
        Positions of the chosen windows, in the order in which they were chosen.
    """
    _, recording = np.unique(recordings, return_inverse=True)
    _, site = np.unique(np.asarray(sites, str), return_inverse=True)
    per_recording, per_site = np.zeros(recording.max(initial=-1) + 1), np.zeros(site.max(initial=-1) + 1)
    # A site with few windows must not give its worst ones: the best hundredth, or 20 for each item, take part.
    n_pool = max(20 * n_items, len(recording) // 100)
    pools = [np.argsort(-priority, kind="stable")[:n_pool] for priority in priorities]
    is_free = np.ones(len(recording), bool)
    chosen: list[int] = []
    while len(chosen) < min(n_items, len(recording)):
        turn = len(chosen) % len(priorities)
        pool = pools[turn][is_free[pools[turn]]]
        used = per_recording[recording[pool]] + per_site[site[pool]] / (per_site.sum() + 1)
        best = int(pool[np.argmax(np.where(used == used.min(), priorities[turn][pool], -np.inf))])
        chosen.append(best)
        is_free[best] = False
        per_recording[recording[best]] += 1
        per_site[site[best]] += 1
    return np.array(chosen, int)


def choose_best(scores: NDArray[np.floating], places: Sequence[tuple[str, str]], n_items: int) -> NDArray[np.int64]:
    """Choose detections to confirm: the best of each site and day, then the second of each, and so on.

    Args:
        scores: shape [Detections].
        places: site and day of each detection.
        n_items: number of detections to choose.

    Returns:
        Positions of the chosen detections, in this order.
    """
    order = np.argsort(-scores, kind="stable")
    seen: dict[tuple[str, str], int] = {}
    turn = np.empty(len(scores), int)
    for row in order:
        turn[row] = seen.get(places[row], 0)
        seen[places[row]] = turn[row] + 1
    return np.lexsort([-scores, turn])[:n_items]
