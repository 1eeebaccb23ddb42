"""Calibration of scores, and correction for prevalence."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from dawnchorus.data.score_tables import CORRECTED_DIGITS, round_scores
from dawnchorus.data.tables import read_table, refuse_rows, to_numbers
from dawnchorus.errors import InputError

# Prior standard deviations of a species' offset from the common one, in log odds, and of its log slope from the common
# one. They minimize the log loss of the demo's boxes in the folds that are left out of the fit.
OFFSET_SPREAD = 0.5
SLOPE_SPREAD = 0.25
# Prior standard deviation of the common log slope around 0, that of scores which are already calibrated.
COMMON_SLOPE_SPREAD = 1.0


def log_odds(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convert scores to log odds.

    Scores are clipped, so that the log odds of 0 and 1 are finite. Distinct float32 scores in between keep their order.
    """
    return logit(np.clip(np.asarray(scores, float), 1e-12, 1 - 1e-8))


@dataclass(frozen=True)
class Calibration:
    """A model of the log likelihood ratio of a score where a species is present against where it is absent.

    The ratio is offset + slope * log odds of the score: Platt scaling (Platt 1999) of each species against the rest,
    whose slopes and offsets shrink towards common ones. All slopes are positive, so calibration never changes the order
    of recordings within a species.

    Attributes:
        slopes: slope of each species, shape [Species].
        offsets: offset of each species, shape [Species].
    """

    slopes: NDArray[np.float64]
    offsets: NDArray[np.float64]

    @classmethod
    def of_boxes(cls, boxes: pd.DataFrame, n_species: int) -> "Calibration":
        """Fit the scores of TP boxes against those of FP boxes; see `of_scores`.

        Args:
            boxes: out-of-fold box scores, as from `box_tables.read_boxes`.
            n_species: number of species.
        """
        table = boxes.reset_index()
        return cls.of_scores(table.species_id.to_numpy(), table.is_tp.to_numpy(bool), table.score.to_numpy(), n_species)

    @classmethod
    def of_scores(
        cls,
        species: NDArray[np.integer],
        is_present: NDArray[np.bool_],
        scores: NDArray[np.floating],
        n_species: int,
        weights: NDArray[np.number] | None = None,
    ) -> "Calibration":
        """Fit scores by penalized maximum likelihood.

        The fraction of scores where a species is present is not its prevalence, so the fit removes its effect. A
        species without scores of both kinds gets the common slope and offset. If no species has both, the result leaves
        scores unchanged.

        Args:
            species: species of each score, shape [Scores].
            is_present: whether the species is present, shape [Scores].
            scores: shape [Scores].
            n_species: number of species.
            weights: weight of each score in the likelihood; 1 by default, shape [Scores].
        """
        weights = np.ones(len(scores)) if weights is None else weights.astype(float)
        total = np.bincount(species, weights, n_species)
        part = np.bincount(species, weights * is_present, n_species) / np.where(total > 0, total, 1)
        used = ((part > 0) & (part < 1))[species] & (weights > 0)
        species, is_present, weights = species[used], is_present[used], weights[used]
        x, base = log_odds(scores[used]), logit(part[species])

        def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            """The negative log posterior of the common offset and log slope and the deviations, and its gradient."""
            common, common_slope, offsets, slopes = values[0], values[1], *np.split(values[2:], 2)
            steepness = np.exp(common_slope + slopes[species]) * x
            odds = base + common + offsets[species] + steepness
            penalty = (
                (common_slope / COMMON_SLOPE_SPREAD) ** 2
                + ((offsets / OFFSET_SPREAD) ** 2).sum()
                + ((slopes / SLOPE_SPREAD) ** 2).sum()
            ) / 2
            error = weights * (expit(odds) - is_present)
            gradient = np.concatenate([
                [error.sum(), error @ steepness + common_slope / COMMON_SLOPE_SPREAD**2],
                np.bincount(species, error, n_species) + offsets / OFFSET_SPREAD**2,
                np.bincount(species, error * steepness, n_species) + slopes / SLOPE_SPREAD**2,
            ])  # fmt: skip
            return weights @ (np.logaddexp(0, odds) - is_present * odds) + penalty, gradient

        # exp of a larger log slope overflows.
        bounds = [(None, None), (-5, 5), *[(None, None)] * n_species, *[(-5, 5)] * n_species]
        found = minimize(loss, np.zeros(2 + 2 * n_species), jac=True, method="L-BFGS-B", bounds=bounds).x
        offsets, slopes = np.split(found[2:], 2)
        return cls(np.exp(found[1] + slopes), found[0] + offsets)

    def log_likelihood_ratios(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Compute the log likelihood ratio of presence against absence. It does not depend on prevalence.

        Args:
            scores: shape [..., Species].

        Returns:
            Log likelihood ratios, shape [..., Species].
        """
        return self.offsets + self.slopes * log_odds(scores)

    def transferred(
        self, scores: NDArray[np.floating], probabilities: NDArray[np.float64], prevalence: NDArray[np.float64]
    ) -> "Calibration":
        """Fit other models' scores to known probabilities, by cross-entropy; slopes and offsets shrink towards these.

        Args:
            scores: shape [Windows, Species].
            probabilities: the probability of each score; NaN for a species without any, shape [Windows, Species].
            prevalence: share of windows with each species, shape [Species].
        """
        offsets, slopes = self.offsets.copy(), self.slopes.copy()
        for number in np.flatnonzero(~np.isnan(prevalence)):
            x, wanted = log_odds(scores[:, number]), probabilities[:, number]
            base, offset, log_slope = logit(prevalence[number]), self.offsets[number], np.log(self.slopes[number])

            def loss(
                values: NDArray[np.float64], x: NDArray = x, wanted: NDArray = wanted, base: float = base,
                offset: float = offset, log_slope: float = log_slope,
            ) -> tuple[float, NDArray[np.float64]]:  # fmt: skip
                steepness = np.exp(values[1]) * x
                odds = base + values[0] + steepness
                away = (values - [offset, log_slope]) / [OFFSET_SPREAD, SLOPE_SPREAD]
                error = expit(odds) - wanted
                gradient = [error.sum(), error @ steepness] + away / [OFFSET_SPREAD, SLOPE_SPREAD]
                return (np.logaddexp(0, odds) - wanted * odds).sum() + away @ away / 2, gradient

            bounds = [(None, None), (log_slope - 5, log_slope + 5)]
            found = minimize(loss, [offset, log_slope], jac=True, method="L-BFGS-B", bounds=bounds).x
            offsets[number], slopes[number] = found[0], np.exp(found[1])
        return Calibration(slopes, offsets)


def correct(scores: pd.DataFrame, boxes: pd.DataFrame, prevalence: NDArray[np.float64]) -> pd.DataFrame:
    """Calibrate scores and correct them for prevalence (Bayes' rule).

    Args:
        scores: clip scores of test recordings, indexed by recording_id.
        boxes: out-of-fold box scores of the same models, as from `box_tables.read_boxes`.
        prevalence: prevalence of each species, shape [Species].

    Returns:
        The corrected scores, rounded as in the file.
    """
    ratios = Calibration.of_boxes(boxes, scores.shape[1]).log_likelihood_ratios(scores.to_numpy())
    corrected = pd.DataFrame(expit(ratios + logit(prevalence)), scores.index, scores.columns)
    return round_scores(corrected, CORRECTED_DIGITS)


def read_prevalence(path: Path, columns: list[str]) -> NDArray[np.float64]:
    """Read a table of the prevalence of each species.

    Args:
        path: a CSV file with the columns species and prevalence, in any order of rows.
        columns: the species of the experiment. Each must have a row.

    Returns:
        Prevalence in the order of `columns`, above 0 and below 1, shape [Species].

    Raises:
        InputError: the file is missing, empty or lacks a column; a species is missing, unknown or repeated; or a
            prevalence is not a number between 0 and 1.
    """
    table = read_table(path, ["species", "prevalence"], named_by="`ensemble.prior` in params.yaml names the table")
    table["prevalence"] = to_numbers(path, table, "prevalence")
    refuse_rows(path, table, "species", ~table.species.isin(columns), f"one of {', '.join(columns)}")
    refuse_rows(path, table, "species", table.species.duplicated(), "each species once")
    possible = table.prevalence.between(0, 1, inclusive="neither")
    refuse_rows(path, table, "prevalence", ~possible, "a fraction of the recordings, above 0 and below 1")
    missing = [name for name in columns if name not in set(table.species)]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} species, for example {missing[0]}; add one for each")
    return table.set_index("species").prevalence[columns].to_numpy()
