"""Confusion: which species' calls raise the scores of others.

The question about a pair is: how often does a call of one species score higher for the other than a call of the other
itself does? Never (0), if the model tells them apart; in half of the cases, if both are the same to it. The answer is
compared with that for any other sound, because unlabelled calls of the other raise its score everywhere alike.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, norm

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.inference.window_tables import Windows

# Of the pairs that stand out, the fraction that may do so by chance (Benjamini and Hochberg 1995).
FALSE_DISCOVERIES = 0.1
# A call in fewer recordings may be an odd one.
FEWEST_RECORDINGS = 3


@dataclass(frozen=True)
class Confusion:
    """How calls of one species (rows) raise the scores of another (columns).

    Attributes:
        share: how often a call scores higher for the other than a call of the other does, ties count half; NaN where
            there is none of either, shape [Species, Species].
        elsewhere: the same where no call of the other is known, shape [Species].
        calls: number of calls of the first, where none of the other is known, shape [Species, Species].
        stands_out: whether the calls score higher for the other than elsewhere by more than chance, shape
            [Species, Species].
    """

    share: NDArray[np.float64]
    elsewhere: NDArray[np.float64]
    calls: NDArray[np.int64]
    stands_out: NDArray[np.bool_]

    @property
    def excess(self) -> NDArray[np.float64]:
        """By how much calls exceed what is elsewhere, shape [Species, Species]."""
        return self.share - self.elsewhere

    def strongest(self) -> list[tuple[int, int]]:
        """The pairs that stand out, the largest excess first."""
        excess = np.where(self.stands_out, self.excess, -np.inf)
        order = np.argsort(-excess, axis=None, kind="stable")[: self.stands_out.sum()]
        return [(int(first), int(other)) for first, other in zip(*np.unravel_index(order, excess.shape), strict=True)]


def confusion_of(
    scores: NDArray[np.floating],
    has_call: NDArray[np.bool_],
    is_free: NDArray[np.bool_],
    calls: tuple[NDArray[np.int64], NDArray[np.int64]],
    units: NDArray[np.int64],
) -> Confusion:
    """Compare scores at calls of each species with those at calls of the others.

    A pair stands out if the calls rank higher, among all places without a known call of the other, than random places
    would (the test of Mann and Whitney, with a recording's mean as one observation), in at least `FEWEST_RECORDINGS`.

    Args:
        scores: of places, which are windows or recordings, shape [Places, Species].
        has_call: places that may have a call of a species, so that its score there shows no confusion, shape
            [Places, Species].
        is_free: places that are compared with, where no call of a species is known, shape [Places, Species].
        calls: the place and the species of each call.
        units: the recording of each place, shape [Places].
    """
    n_species = scores.shape[1]
    places, species = calls
    share, p_values = (np.full((n_species, n_species), np.nan) for _ in range(2))
    elsewhere, counts = np.full(n_species, np.nan), np.zeros((n_species, n_species), int)
    for other in range(n_species):
        own = scores[places[species == other], other]
        free = scores[is_free[:, other], other]
        if not len(own) or not len(free):
            continue
        elsewhere[other] = _share_below(own, free).mean()
        at_calls = ~has_call[places, other] & (species != other)
        table = pd.DataFrame(
            {
                "species": species[at_calls],
                "unit": units[places[at_calls]],
                "share": _share_below(own, scores[places[at_calls], other]),
                "rank": _share_below(free, scores[places[at_calls], other]),
            }
        )
        found = table.groupby("species").share.agg(["mean", "size"])
        share[found.index, other], counts[found.index, other] = found["mean"], found["size"]
        of_unit = table.groupby(["species", "unit"])["rank"].mean().groupby("species").agg(["mean", "size"])
        of_unit = of_unit[of_unit["size"] >= FEWEST_RECORDINGS]
        # The variance of a rank between 0 and 1 is 1/12.
        p_values[of_unit.index, other] = norm.sf((of_unit["mean"] - 0.5) * np.sqrt(12 * of_unit["size"]))
    stands_out = np.zeros(share.shape, bool)
    known = ~np.isnan(p_values)
    if known.any():
        stands_out[known] = false_discovery_control(p_values[known]) <= FALSE_DISCOVERIES
    return Confusion(share, elsewhere, counts, stands_out & (share > elsewhere))


def _share_below(reference: NDArray[np.floating], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The fraction of the reference that each value exceeds; equal ones count half."""
    ordered = np.sort(reference)
    below, above = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return (below + above) / (2 * len(ordered))


def confusion_in_boxes(windows: Windows, present: pd.DataFrame, window_seconds: float, n_species: int) -> Confusion:
    """Confusion at labelled calls: each in the window whose middle is nearest to the call's.

    Args:
        windows: scores by models that were not trained on their recordings.
        present: present boxes: recording_id, species_id, t_min and t_max (s).
        window_seconds: length of a window, s.
        n_species: number of species.
    """
    rows = dict(zip(windows.recording_ids, zip(windows.edges[:-1], windows.edges[1:], strict=True), strict=True))
    present = present[present.recording_id.isin(rows)]
    has_call = np.zeros((len(windows.starts), n_species), bool)
    places = np.zeros(len(present), int)
    columns = (present.recording_id, present.species_id, present.t_min, present.t_max)
    for number, (name, species, t_min, t_max) in enumerate(zip(*columns, strict=True)):
        first, last = rows[name]
        starts = windows.starts[first:last]
        has_call[first:last, species] |= (starts < t_max) & (starts + window_seconds > t_min)
        places[number] = first + np.abs(starts + window_seconds / 2 - (t_min + t_max) / 2).argmin()
    calls = (places, present.species_id.to_numpy(int))
    return confusion_of(windows.scores, has_call, ~has_call, calls, windows.recordings)


def confusion_in_recordings(truth: GroundTruth, scores: pd.DataFrame) -> Confusion:
    """Confusion in recordings whose species are known, between those with one species and without the other.

    Args:
        truth: which species call.
        scores: clip scores, indexed by recording_id.
    """
    present = truth.truth & truth.mask
    # Where it is unknown whether a species calls, its score shows nothing.
    return confusion_of(
        scores.loc[truth.recording_ids].to_numpy(float), present | ~truth.mask, ~truth.truth & truth.mask,
        (np.nonzero(present)[0], np.nonzero(present)[1]), np.arange(len(scores.loc[truth.recording_ids])),
    )  # fmt: skip
