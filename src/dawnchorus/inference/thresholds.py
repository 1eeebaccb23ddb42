"""Thresholds that keep a precision, for each species, with what supports them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.prevalence import estimate_window_prevalence

# A lower bound holds with this confidence, from one side.
CONFIDENCE = 0.9
SAMPLES = 200
# From fewer recordings, resampling them says little about others.
FEWEST_RECORDINGS = 5
FEWEST_ABSENT = 5
# Thresholds are multiples of 1 / SCALE.
SCALE = 1_000_000


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold scores of windows in which it is known whether a species is present.

    Attributes:
        species: shape [Scores].
        is_present: shape [Scores].
        scores: shape [Scores].
        units: number of each score's recording, or of its group of recordings, shape [Scores].
    """

    species: NDArray[np.int64]
    is_present: NDArray[np.bool_]
    scores: NDArray[np.float64]
    units: NDArray[np.int64]


@dataclass(frozen=True)
class WindowModel:
    """Turns the score of a window into the probability that a species is present in it.

    Attributes:
        calibration: log likelihood ratios of scores.
        prevalence: share of windows with each species; NaN where it is unknown, shape [Species].
    """

    calibration: Calibration
    prevalence: NDArray[np.float64]

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probabilities of scores, shape [..., Species]; NaN for species whose prevalence is unknown."""
        return expit(self.calibration.log_likelihood_ratios(scores) + logit(self.prevalence))

    def score_at(self, probability: float) -> NDArray[np.float64]:
        """The score of each species that has a probability, shape [Species]."""
        odds = logit(probability) - logit(self.prevalence) - self.calibration.offsets
        return expit(odds / self.calibration.slopes)


def fit_window_model(
    evidence: Evidence, groups: Sequence[NDArray[np.floating]], n_species: int, weights: NDArray[np.integer]
) -> WindowModel:
    """Fit the probabilities of scores by the models that gave the evidence.

    Args:
        evidence: labelled scores.
        groups: sorted scores of all windows, as in `estimate_window_prevalence`.
        n_species: number of species.
        weights: how often each labelled score counts, shape [Scores].
    """
    counts = np.where(evidence.is_present, weights, 0)
    present = [
        np.repeat(evidence.scores[of_species], counts[of_species])
        for of_species in (evidence.species == number for number in range(n_species))
    ]
    calibration = Calibration.of_scores(evidence.species, evidence.is_present, evidence.scores, n_species, weights)
    return WindowModel(calibration, estimate_window_prevalence(present, groups))


def choose_thresholds(
    evidence: Evidence,
    groups: Sequence[NDArray[np.floating]],
    target: NDArray[np.floating],
    species: Sequence[str],
    precision: float,
    rng: np.random.Generator,
) -> tuple[WindowModel, pd.DataFrame]:
    """Choose the lowest threshold of each species at which the windows above it have a precision.

    The evidence is by a few models each, the scores to threshold are the mean over all models, which varies less. So
    each window of the whole ensemble gets the probability that the window of the same rank has by the models of a
    group, the mean over groups. The precision of windows is the mean of their probabilities. Its lower bound is from a
    bootstrap over the labelled recordings. Where no window reaches the precision, the threshold is the score whose own
    probability is the precision.

    Args:
        evidence: labelled scores.
        groups: scores of all windows by each group of models, shape [Windows, Species] each; a group has as many models
            as gave each score of the evidence.
        target: scores of the same windows by the whole ensemble, shape [Windows, Species].
        species: the codes of the species.
        precision: the wanted precision, between 0 and 1.
        rng: for the bootstrap.

    Returns:
        The model of `target`'s scores, and a row per species: species; threshold (a score; NaN if the species has no
        present box); probability at the threshold; precision of the windows above it and its lower bound; number of
        windows above; prevalence of windows; present_boxes, present_recordings and absent_boxes, the labels that it
        rests on; and why the precision cannot be promised (no_promise, empty if it can).
    """
    groups = [np.sort(group, axis=0) for group in groups]
    ranked = np.sort(target, axis=0)[::-1]

    def by_rank(weights: NDArray[np.integer]) -> tuple[WindowModel, NDArray[np.float64], NDArray[np.float64]]:
        """The model of the groups, and the probability at each rank and of all ranks above, [Windows, Species] each."""
        model = fit_window_model(evidence, groups, len(species), weights)
        probabilities = np.mean([model.probabilities(group) for group in groups], axis=0)[::-1]
        return model, probabilities, np.cumsum(probabilities, axis=0) / np.arange(1, len(target) + 1)[:, None]

    of_group, probabilities, means = by_rank(np.ones(len(evidence.scores), int))
    calibration = of_group.calibration.transferred(ranked, probabilities, of_group.prevalence)
    model = WindowModel(calibration, of_group.prevalence)
    above = (means >= precision).sum(axis=0)
    last, columns = np.maximum(above, 1) - 1, np.arange(len(species))
    table = pd.DataFrame({"species": species, "prevalence": model.prevalence})
    thresholds = np.where(above > 0, ranked[last, columns], model.score_at(precision))
    # Rounded down, so that the window whose score it is stays above it.
    table["threshold"] = np.maximum(np.floor(thresholds * SCALE), 1) / SCALE
    table["probability"] = np.where(above > 0, probabilities[last, columns], precision)
    table["precision"] = np.where(above > 0, means[last, columns], precision)
    n_units = int(evidence.units.max(initial=-1)) + 1
    sampled = [
        by_rank(drawn[evidence.units])[2][last, columns] for (drawn,) in draw_recordings(n_units, SAMPLES, 1, rng)
    ]
    # A resampling without any present box of a species says that it never calls.
    low = np.quantile(np.nan_to_num(sampled), 1 - CONFIDENCE, axis=0)
    table["precision_low"] = np.minimum(low, table.precision)
    table["windows_above"] = above
    is_unknown = np.isnan(model.prevalence)
    table.loc[is_unknown, ["probability", "precision", "precision_low"]] = np.nan
    labelled = pd.DataFrame({"number": evidence.species, "is_present": evidence.is_present, "unit": evidence.units})
    present = labelled[labelled.is_present].groupby("number").unit
    table["present_boxes"] = present.size().reindex(columns, fill_value=0)
    table["present_recordings"] = present.nunique().reindex(columns, fill_value=0)
    table["absent_boxes"] = labelled[~labelled.is_present].groupby("number").size().reindex(columns, fill_value=0)
    counts = (table.present_boxes, table.present_recordings, table.absent_boxes)
    table["no_promise"] = [_why_not(*of_species) for of_species in zip(*counts, strict=True)]
    return model, table


def _why_not(n_present: int, n_recordings: int, n_absent: int) -> str:
    """Why the labels of a species cannot support a promise; empty if they can."""
    if n_recordings < FEWEST_RECORDINGS:
        return f"{n_present} present boxes in {n_recordings} recordings"
    if n_absent < FEWEST_ABSENT:
        return f"{n_absent} absent boxes"
    return ""
