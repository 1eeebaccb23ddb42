"""What answers to a random sample of windows say: the probability of each score, precision, and call density.

The probability of a score is a logistic curve of its log odds, between a floor and a ceiling: faint calls that no score
shows, and sounds that no score can tell from calls. Every curve on a grid is kept with its posterior probability, so
each figure has its uncertainty, also where all answers are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from dawnchorus.inference.calibration import log_odds

# Prior standard deviations, in log odds: of the curve at the middle of the answers, and of the log slope. Labelled
# boxes, which give the prior, are no random sample of windows, and may be far off.
MIDDLE_SPREAD, SLOPE_SPREAD = 2.0, 0.5
MIDDLES, LOG_SLOPES = np.linspace(-3.5, 3.5, 41), np.linspace(-2.5, 2.5, 15)
# Floors and (as the difference from 1) ceilings, with their prior probabilities.
FLOORS = {0.0: 0.5, 0.002: 0.2, 0.005: 0.12, 0.01: 0.08, 0.02: 0.06, 0.05: 0.04}
GAPS = {0.0: 0.6, 0.03: 0.15, 0.1: 0.1, 0.2: 0.07, 0.4: 0.05, 0.7: 0.03}
# Curves that are drawn from the posterior.
DRAWS = 500
# Windows with the highest scores count each by itself; the others in groups of similar scores.
SINGLE, GROUPS = 2000, 1000


@dataclass(frozen=True)
class Curves:
    """Equally likely curves: probability = floor + (1 - floor - gap) * expit(offset + slope * log odds of the score).

    Each attribute has the shape [Draws].
    """

    offsets: NDArray[np.float64]
    slopes: NDArray[np.float64]
    floors: NDArray[np.float64]
    gaps: NDArray[np.float64]

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """The probability of each score under each curve, shape [Draws, Scores]."""
        curve = expit(self.offsets[:, None] + self.slopes[:, None] * log_odds(scores))
        return self.floors[:, None] + (1 - self.floors - self.gaps)[:, None] * curve


def fit_curves(
    scores: NDArray[np.floating],
    is_present: NDArray[np.bool_],
    weights: NDArray[np.floating],
    prior: tuple[float, float],
    rng: np.random.Generator,
) -> Curves:
    """Draw curves from their posterior.

    Args:
        scores: of the answered windows of a species, at least one, shape [Answers].
        is_present: shape [Answers].
        weights: how much each answer counts, shape [Answers].
        prior: offset and slope of the curve that is likely before any answer.
        rng: random generator.
    """
    x = log_odds(scores)
    # At the middle of the answers, height and slope of a curve are almost independent.
    centre = float(x.mean())
    middles = prior[0] + prior[1] * centre + MIDDLE_SPREAD * MIDDLES
    log_slopes = np.log(prior[1]) + SLOPE_SPREAD * LOG_SLOPES
    curve = expit(middles[:, None, None] + np.exp(log_slopes)[:, None] * (x - centre))
    log_prior = -(MIDDLES[:, None] ** 2 + LOG_SLOPES**2) / 2
    log_posterior = np.empty((len(FLOORS), len(GAPS), *log_prior.shape))
    for row, (floor, of_floor) in enumerate(FLOORS.items()):
        for column, (gap, of_gap) in enumerate(GAPS.items()):
            probability = np.clip(floor + (1 - floor - gap) * curve, 1e-9, 1 - 1e-9)
            likelihood = np.log(np.where(is_present, probability, 1 - probability)) @ weights
            log_posterior[row, column] = likelihood + log_prior + np.log(of_floor * of_gap)
    cumulated = np.cumsum(np.exp(log_posterior - log_posterior.max()))
    # Evenly spaced draws vary less than independent ones.
    spaced = (np.arange(DRAWS) + rng.random()) / DRAWS * cumulated[-1]
    drawn = np.minimum(np.searchsorted(cumulated, spaced), len(cumulated) - 1)
    row, column, middle, slope = np.unravel_index(drawn, log_posterior.shape)
    slopes = np.exp(log_slopes[slope])
    return Curves(
        middles[middle] - slopes * centre, slopes, np.array(list(FLOORS))[row], np.array(list(GAPS))[column]
    )  # fmt: skip


@dataclass(frozen=True)
class MeasuredWindows:
    """All windows of a species, some of which were answered, and the curves that the answers allow.

    Attributes:
        scores: of all windows, shape [Windows].
        is_known: whether each window was answered with present or absent, shape [Windows].
        is_present: whether the answer was present, shape [Windows].
        curves: from the answers.
        rng: random generator.
    """

    scores: NDArray[np.float64]
    is_known: NDArray[np.bool_]
    is_present: NDArray[np.bool_]
    curves: Curves
    rng: np.random.Generator

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The windows from the highest score to the lowest."""
        return np.argsort(-self.scores, kind="stable")

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        """The group of each window, by rank, from 0 (highest scores), shape [Windows]."""
        rank = np.arange(len(self.scores))
        rest = max(1, -(-max(0, len(rank) - SINGLE) // GROUPS))
        groups = np.where(rank < SINGLE, rank, SINGLE + (rank - SINGLE) // rest)
        found = np.empty_like(groups)
        found[self.order] = groups
        return found

    @cached_property
    def _by_curve(self) -> NDArray[np.float64]:
        """The probability of each group's mean log odds under each curve, shape [Draws, Groups]."""
        sizes = np.bincount(self._groups)
        mean = np.bincount(self._groups, log_odds(self.scores)) / sizes
        return self.curves.probabilities(expit(mean))

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability that the species is in each window, from the highest score to the lowest, shape [Windows]."""
        return self._by_curve.mean(axis=0)[self._groups[self.order]]

    def fractions(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The fraction of chosen windows with the species, as it may be, shape [Draws].

        What was answered is known. Each other window has the species or not by its probability.

        Args:
            chosen: shape [Windows].
        """
        open_windows = np.bincount(self._groups[chosen & ~self.is_known], minlength=self._by_curve.shape[1])
        found = self.is_present[chosen].sum() + self.rng.binomial(open_windows, self._by_curve).sum(axis=1)
        return found / max(1, chosen.sum())


def even_weights(weights: NDArray[np.floating], strata: NDArray[np.integer]) -> NDArray[np.float64]:
    """Scale weights to a mean of 1 in each stratum of similar scores.

    Weights among similar scores keep a sample representative that was drawn by the scores of an earlier model. Weights
    between strata would only add variance, because the curve is fitted given the score.

    Args:
        weights: inverse inclusion probability of each answer, shape [Answers].
        strata: of each answer by the present scores, shape [Answers].
    """
    counts = np.bincount(strata)
    return weights * counts[strata] / np.bincount(strata, weights)[strata]


def interval(values: NDArray[np.floating], confidence: float = 0.9) -> tuple[float, float]:
    """The central interval of equally likely values."""
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def pooled_weights(inclusion: NDArray[np.floating], reviews: Sequence[str]) -> NDArray[np.float64]:
    """Weights of answers to one or several samples of the same windows; larger samples count more.

    Args:
        inclusion: inclusion probability of each answer in its sample, shape [Answers].
        reviews: the sample of each answer, shape [Answers].
    """
    _, review = np.unique(np.asarray(reviews, str), return_inverse=True)
    return (np.bincount(review) / len(review))[review] / inclusion
