"""Calibration of scores, and their correction by prevalence."""

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

# Standard deviation of what sets a species apart from the others, log odds: so far it is drawn to them.
SPREAD = 0.5


# The slope is drawn to 1, that of scores which are calibrated already, with this standard deviation.
SLOPE_SPREAD = 1.0


def log_odds(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """The log odds of scores; those of 0 and 1 are finite, and of float32 scores all others keep their order."""
    return logit(np.clip(np.asarray(scores, float), 1e-12, 1 - 1e-8))


@dataclass(frozen=True)
class Calibration:
    """How much more likely a score is in TP than in FP boxes: the log of that is offset + slope * the score's log odds.

    Bias-corrected temperature scaling (Alexandari et al. 2020, arXiv:1901.06852) of each species against the rest: one
    slope for all, so that it never changes how a species ranks recordings.

    Attributes:
        slope: of all species.
        offsets: shape [Species].
    """

    slope: float
    offsets: NDArray[np.float64]

    @classmethod
    def of_boxes(cls, boxes: pd.DataFrame, n_species: int) -> "Calibration":
        """Fit scored boxes by penalized maximum likelihood (a logistic regression, after Platt 1999).

        The part of TP boxes among a species' boxes says nothing of its prevalence, so it is taken out. Species without
        TP or without FP boxes get the offset that all have in common; where no species has both, scores stay as they
        are.

        Args:
            boxes: as `box_tables.read_boxes` gives them, of recordings that the models have not seen.
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
            """Negative log posterior of slope, common offset and deviations, and its gradient."""
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
        # A slope of 0 would forget the scores.
        bounds = [(0.01, None)] + [(None, None)] * (1 + n_species)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        return cls(float(found.x[0]), found.x[1] + found.x[2:])

    def log_likelihood_ratios(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """What scores say for a species and against it, apart from how common it is.

        Args:
            scores: shape [Recordings, Species].

        Returns:
            The same shape.
        """
        return self.offsets + self.slope * log_odds(scores)


def estimate_prevalence(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prevalence of each species: the mean of its probabilities at even odds, with one call and one silence more.

    This is probabilistic counting (Bella et al. 2010), and the first step of expectation maximization (Saerens et al.
    2002). Further steps are not taken: a species that is overestimated would grow with each.

    Args:
        ratios: log likelihood ratios, shape [Recordings, Species].

    Returns:
        Shape [Species]; above 0 and below 1.
    """
    return (expit(ratios).sum(axis=0) + 1) / (len(ratios) + 2)


def correct(
    scores: pd.DataFrame, boxes: pd.DataFrame, declared: NDArray[np.float64] | None = None
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Calibrate scores and correct them by prevalence (Bayes's rule).

    Args:
        scores: clip scores of test recordings, indexed by recording_id.
        boxes: the scored boxes of the same models, as `box_tables.read_boxes` gives them.
        declared: the prevalence of each species, shape [Species]; by default it is estimated from the scores.

    Returns:
        The corrected scores, rounded as they are written, and the prevalence that they are corrected by.
    """
    ratios = Calibration.of_boxes(boxes, scores.shape[1]).log_likelihood_ratios(scores.to_numpy())
    prevalence = estimate_prevalence(ratios) if declared is None else declared
    corrected = pd.DataFrame(expit(ratios + logit(prevalence)), scores.index, scores.columns)
    return round_scores(corrected, CORRECTED_DIGITS), prevalence


def read_prevalence(path: Path, columns: list[str]) -> NDArray[np.float64]:
    """Read a table that declares how common species are: species (s0, s1, ...) and prevalence.

    Args:
        path: a CSV file; its rows may stand in any order.
        columns: the species columns, which must have a row each.

    Returns:
        The prevalence of each species in their order, shape [Species]; above 0 and below 1.

    Raises:
        InputError: as in `read_scores`, for a species that is missing, unknown or there twice, and for a prevalence
            that is not between 0 and 1.
    """
    table = read_table(path, ["species", "prevalence"], named_by="`ensemble.prior` in params.yaml names the table")
    table["prevalence"] = to_numbers(path, table, "prevalence")
    refuse_rows(path, table, "species", ~table.species.isin(columns), f"one of {columns[0]} to {columns[-1]}")
    refuse_rows(path, table, "species", table.species.duplicated(), "each species once")
    possible = table.prevalence.between(0, 1, inclusive="neither")
    refuse_rows(path, table, "prevalence", ~possible, "a part of the recordings, above 0 and below 1")
    missing = [name for name in columns if name not in set(table.species)]
    if missing:
        raise InputError(f"{path}: has no row for {len(missing)} species, for example {missing[0]}; add them")
    return table.set_index("species").prevalence[columns].to_numpy()
