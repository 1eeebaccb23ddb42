"""How good probabilities and thresholds are in recordings that they were not fitted to.

The labelled recordings (or groups) are dealt into parts. What is fitted to all parts but one is judged by that one.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.evaluation.reliability import reliability, wilson_interval
from dawnchorus.inference.calibration import Calibration, log_odds
from dawnchorus.inference.reliability_tables import ALL, COLUMNS, PROBABILITY, SCORE
from dawnchorus.inference.thresholds import MEASURED, Evidence, find_thresholds

PARTS = 5
SAMPLES = 1000
# Number of bins of a reliability diagram, and of labels that a bin should have.
MOST_BINS, FEWEST_IN_BIN = 10, 12


def deal(units: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal units (recordings or groups of them) into `PARTS` parts of equal size, at random.

    Args:
        units: shape [...].
        rng: random generator.

    Returns:
        The part of each unit, shape [...].
    """
    names, number = np.unique(units, return_inverse=True)
    return (rng.permutation(len(names)) % PARTS)[number]


def held_out_probabilities(evidence: Evidence, parts: NDArray[np.integer], n_species: int) -> NDArray[np.float64]:
    """The probability of each labelled score, by curves that were fitted to the other parts.

    It is the probability among scores that are labelled like these: the prevalence is the share of present ones in the
    other parts, with one of each kind added.

    Args:
        evidence: labelled scores.
        parts: of each score, as from `deal`, shape [Scores].
        n_species: number of species.

    Returns:
        Shape [Scores].
    """
    found = np.empty(len(evidence.scores))
    for part in np.unique(parts):
        others, left_out = evidence.subset(parts != part), evidence.subset(parts == part)
        curves = Calibration.of_scores(others.species, others.is_present, others.scores, n_species)
        total = np.bincount(others.species, minlength=n_species)
        share = (np.bincount(others.species, others.is_present, n_species) + 1) / (total + 2)
        ratios = curves.offsets[left_out.species] + curves.slopes[left_out.species] * log_odds(left_out.scores)
        found[parts == part] = expit(ratios + logit(share)[left_out.species])
    return found


def reliability_table(evidence: Evidence, species: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """Compare scores and probabilities with labels, for each species that has labels of both kinds, and over these.

    Args:
        evidence: labelled scores.
        species: the codes of the species.
        rng: random generator.

    Returns:
        A row for each species (`ALL`: over all), value (`SCORE` or `PROBABILITY`) and bin, with the columns `COLUMNS`.
        There are no rows without two labelled recordings or groups.
    """
    present = np.bincount(evidence.species, evidence.is_present, len(species))
    has_both = (present > 0) & (present < np.bincount(evidence.species, minlength=len(species)))
    evidence = evidence.subset(has_both[evidence.species])
    if len(np.unique(evidence.units)) < 2:
        return pd.DataFrame(columns=COLUMNS)
    probabilities = held_out_probabilities(evidence, deal(evidence.units, rng), len(species))
    tables = []
    for number in (-1, *np.flatnonzero(has_both)):
        rows = (evidence.species == number) | (number < 0)
        bins = int(np.clip(rows.sum() // FEWEST_IN_BIN, 1, MOST_BINS))
        for name, values in ((SCORE, evidence.scores), (PROBABILITY, probabilities)):
            table = reliability(values[rows], evidence.is_present[rows], bins, evidence.units[rows])
            tables.append(
                table.assign(species=ALL if number < 0 else species[number], value=name, bin=range(1, bins + 1))
            )
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def measure_thresholds(
    evidence: Evidence,
    scores: NDArray[np.floating],
    units: NDArray[np.integer],
    precision: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Measure precision and recall in completely annotated recordings, at thresholds that were chosen on the others.

    Args:
        evidence: labelled scores. Precision and recall are those of the ones that are of any window.
        scores: scores of all windows by the models that gave the evidence, out of fold, shape [Windows, Species].
        units: number of the recording or group of each window, as in `evidence`, shape [Windows].
        precision: that thresholds are chosen for.
        rng: random generator.

    Returns:
        A row per species with the columns `MEASURED`: the precision of windows above the threshold and the recall of
        windows with the species, each with a 95 % interval. NaN for a species without complete recordings, for one that
        has no threshold when some recordings are left out, and for the precision if no window is above the threshold.
    """
    n_species, parts = scores.shape[1], deal(evidence.units, rng)
    table = pd.DataFrame(np.nan, range(n_species), MEASURED)
    if not evidence.is_any_window.any():
        return table
    part_of_unit = pd.Series(parts, evidence.units).groupby(level=0).first()
    part_of_window = part_of_unit.reindex(units, fill_value=-1).to_numpy()
    limits = np.full((PARTS, n_species), np.nan)
    used = np.unique(parts)
    for part in used if len(used) > 1 else []:
        others = scores[part_of_window != part]
        limits[part] = find_thresholds(evidence.subset(parts != part), [others], others, precision).scores
    chosen = evidence.is_any_window & ~np.isnan(limits[used]).any(axis=0)[evidence.species]
    windows = evidence.subset(chosen)
    is_above = windows.scores >= limits[parts[chosen], windows.species]
    names, unit = np.unique(windows.units, return_inverse=True)

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The number of windows of each unit and species, shape [Units, Species]."""
        cells = unit[which] * n_species + windows.species[which]
        return np.bincount(cells, minlength=len(names) * n_species).reshape(len(names), n_species)

    hits = count(is_above & windows.is_present)
    if len(names):
        (drawn,) = draw_recordings(len(names), SAMPLES, SAMPLES, rng)
        others = {
            "measured_precision": is_above & ~windows.is_present,
            "measured_recall": ~is_above & windows.is_present,
        }
        for name, which in others.items():
            table[[name, f"{name}_low", f"{name}_high"]] = np.transpose(_fraction(hits, count(which), drawn))
    return table


def _fraction(
    hits: NDArray[np.integer], others: NDArray[np.integer], drawn: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The fraction of hits among all and its interval, each of shape [Species].

    The interval is the wider one of the bootstrap's and of Wilson's with as many trials as units that have some: if
    all are hits, the bootstrap knows no other.

    Args:
        hits: number of hits of each unit, shape [Units, Species].
        others: number of the others, shape [Units, Species].
        drawn: how often each unit is drawn, shape [Samples, Units].
    """
    total = hits + others
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # Without any, the fraction is unknown.
        warnings.simplefilter("ignore", RuntimeWarning)
        fraction = hits.sum(axis=0) / total.sum(axis=0)
        low, high = np.nanpercentile((drawn @ hits) / (drawn @ total), [2.5, 97.5], axis=0)
        n_units = (total > 0).sum(axis=0)
        wilson_low, wilson_high = wilson_interval(fraction, n_units)
    return fraction, np.fmin(low, wilson_low), np.fmax(high, wilson_high)
