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

# Prior standard deviation of a species' offset from the common offset, in log odds.
SPREAD = 0.5

# Prior standard deviation of the slope around 1, the slope of scores that are already calibrated.
SLOPE_SPREAD = 1.0


def log_odds(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convert scores to log odds.

    Scores are clipped, so that the log odds of 0 and 1 are finite. Distinct float32 scores in between keep their order.
    """
    return logit(np.clip(np.asarray(scores, float), 1e-12, 1 - 1e-8))


@dataclass(frozen=True)
class Calibration:
    """A model of the log likelihood ratio of a score in TP against FP boxes: offset + slope * log odds of the score.

    This is bias-corrected temperature scaling (Alexandari et al. 2020, arXiv:1901.06852), applied to each species
    against the rest. All species share one positive slope, so calibration never changes the order of recordings within
    a species.

    Attributes:
        slope: slope of all species.
        offsets: offset of each species, shape [Species].
    """

    slope: float
    offsets: NDArray[np.float64]

    @classmethod
    def of_boxes(cls, boxes: pd.DataFrame, n_species: int) -> "Calibration":
        """Fit box scores by penalized maximum likelihood (a logistic regression, after Platt 1999).

        The fraction of TP boxes among the boxes of a species is not its prevalence, so the fit removes its effect. A
        species without TP boxes or without FP boxes gets the common offset. If no species has both, the result leaves
        scores unchanged.

        Args:
            boxes: out-of-fold box scores, as from `box_tables.read_boxes`.
            n_species: number of species.
        """
        table = boxes.reset_index()
        part = table.groupby("species_id").is_tp.transform("mean")
        used = part.between(0, 1, inclusive="neither")
        species, is_tp, x, base = (
            table.species_id[used].to_numpy(), table.is_tp[used].to_numpy(), log_odds(table.score[used].to_numpy()),
            logit(part[used].to_numpy()),
        )  # fmt: skip

        def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            """The negative log posterior of slope, common offset and deviations, and its gradient."""
            slope, common, deviations = weights[0], weights[1], weights[2:]
            odds = base + slope * x + common + deviations[species]
            penalty = ((slope - 1) / SLOPE_SPREAD) ** 2 / 2 + ((deviations / SPREAD) ** 2).sum() / 2
            error = expit(odds) - is_tp
            gradient = np.concatenate([
                [error @ x + (slope - 1) / SLOPE_SPREAD**2, error.sum()],
                np.bincount(species, error, n_species) + deviations / SPREAD**2,
            ])  # fmt: skip
            return np.logaddexp(0, odds).sum() - odds[is_tp].sum() + penalty, gradient

        start = np.concatenate([[1.0], np.zeros(1 + n_species)])
        # A slope of 0 would make all scores equal.
        bounds = [(0.01, None)] + [(None, None)] * (1 + n_species)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        return cls(float(found.x[0]), found.x[1] + found.x[2:])

    def log_likelihood_ratios(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Compute the log likelihood ratio of presence against absence. It does not depend on prevalence.

        Args:
            scores: shape [Recordings, Species].

        Returns:
            Log likelihood ratios, shape [Recordings, Species].
        """
        return self.offsets + self.slope * log_odds(scores)


def estimate_prevalence(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate the prevalence of each species: the mean of its probabilities at a prevalence of 0.5.

    One recording with the species and one without it are added, so that the estimate is never 0 or 1.

    This is probabilistic counting (Bella et al. 2010), which is also the first step of expectation maximization
    (Saerens et al. 2002). There are no further steps, because each would increase an overestimate.

    Args:
        ratios: log likelihood ratios, shape [Recordings, Species].

    Returns:
        Prevalence, above 0 and below 1, shape [Species].
    """
    return (expit(ratios).sum(axis=0) + 1) / (len(ratios) + 2)


def correct(
    scores: pd.DataFrame, boxes: pd.DataFrame, declared: NDArray[np.float64] | None = None
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Calibrate scores and correct them for prevalence (Bayes' rule).

    Args:
        scores: clip scores of test recordings, indexed by recording_id.
        boxes: out-of-fold box scores of the same models, as from `box_tables.read_boxes`.
        declared: prevalence of each species, shape [Species]; by default it is estimated from the scores.

    Returns:
        The corrected scores, rounded as in the file, and the prevalence of each species, shape [Species].
    """
    ratios = Calibration.of_boxes(boxes, scores.shape[1]).log_likelihood_ratios(scores.to_numpy())
    prevalence = estimate_prevalence(ratios) if declared is None else declared
    corrected = pd.DataFrame(expit(ratios + logit(prevalence)), scores.index, scores.columns)
    return round_scores(corrected, CORRECTED_DIGITS), prevalence


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
