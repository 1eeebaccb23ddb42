"""Linear heads on embeddings: masked logistic regression on whitened vectors, with strong regularization."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from dawnchorus.evaluation.box_metrics import average_precision
from dawnchorus.models.linear_head import LinearHead, signed_root

# Candidates; with weaker regularization, the many channels of an embedding fit the few labels and nothing else.
RIDGES = (30.0, 10.0)
L2 = (300.0, 100.0)
MOST_STEPS = 200


@dataclass(frozen=True)
class Regularization:
    """How a head is kept from fitting few labels too closely.

    Attributes:
        ridge: how much of the correlations between channels stays; infinitely much only standardizes the channels.
        l2: weight of half the sum of squares of the weights; 1 / C of scikit-learn's `LogisticRegression`.
    """

    ridge: float
    l2: float


CANDIDATES = [Regularization(ridge, l2) for ridge, l2 in product(RIDGES, L2)]


@dataclass(frozen=True)
class Whitening:
    """The square roots of vectors, decorrelated as far as that is safe.

    What many windows share (wind, rain, the recorder) has the largest variance. It is made smaller, so that a call
    counts for more. With standardized roots, whose correlation matrix has the eigenvalues e and eigenvectors U, the map
    is U sqrt((1 + ridge) / (e + ridge)) U'.

    Attributes:
        mean: of the roots, shape [Channels].
        matrix: shape [Channels, Channels].
    """

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Whiten vectors, shape [Windows, Channels]."""
        roots = signed_root(vectors)
        roots -= self.mean.astype(np.float32)
        return roots @ self.matrix.astype(np.float32)


def fit_whitenings(vectors: NDArray[np.float32]) -> dict[float, Whitening]:
    """Fit the whitening for each of `RIDGES` to the vectors of windows, labelled or not, shape [Windows, Channels]."""
    # In place, because vectors of thousands of recordings take much memory.
    standard = signed_root(vectors)
    mean = standard.mean(axis=0, dtype=float)
    standard -= mean.astype(np.float32)
    scale = np.sqrt(np.einsum("ij,ij->j", standard, standard, dtype=float) / len(standard))
    # A channel that hardly ever changes says nothing.
    scale = np.where(scale > 1e-3 * max(scale.max(), 1e-9), scale, np.inf)
    standard /= scale.astype(np.float32)
    values, directions = np.linalg.eigh((standard.T @ standard / len(standard)).astype(float))
    values = np.maximum(values, 0)
    return {
        ridge: Whitening(mean, (directions * np.sqrt((1 + ridge) / (values + ridge))) @ directions.T / scale[:, None])
        for ridge in RIDGES
    }


def fit_logistic(
    x: NDArray[np.float32], target: NDArray[np.float32], mask: NDArray[np.float32], l2: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a logistic regression for each species to labelled windows.

    It minimizes the sum of the cross-entropies, each weighted by its mask, plus l2 / 2 times the sum of the squared
    weights. The bias is not regularized.

    Args:
        x: shape [Windows, Channels].
        target: 0 to 1, shape [Windows, Species].
        mask: loss weight, 0 to 1, shape [Windows, Species].
        l2: strength of the regularization.

    Returns:
        Weights, shape [Channels, Species], and bias, shape [Species].
    """
    n_channels, n_species = x.shape[1], target.shape[1]

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = values[:-n_species].reshape(n_channels, n_species), values[-n_species:]
        odds = (x @ weights.astype(np.float32)).astype(float) + bias
        entropy = np.logaddexp(0, odds) - target * odds
        error = mask * (expit(odds) - target)
        gradient = (x.T @ error.astype(np.float32)).astype(float) + l2 * weights
        total = float((mask * entropy).sum()) + l2 / 2 * float((weights**2).sum())
        return total, np.concatenate([gradient.ravel(), error.sum(axis=0)])

    present = (mask * target).sum(axis=0) + 0.5
    absent = (mask * (1 - target)).sum(axis=0) + 0.5
    begin = np.concatenate([np.zeros(n_channels * n_species), np.log(present / absent)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}).x
    return found[:-n_species].reshape(n_channels, n_species), found[-n_species:]


def fit_head(
    whitening: Whitening,
    vectors: NDArray[np.float32],
    target: NDArray[np.float32],
    mask: NDArray[np.float32],
    l2: float,
) -> LinearHead:
    """Fit a head to labelled windows.

    Args:
        whitening: applied to the vectors first.
        vectors: shape [Windows, Channels].
        target: 0 to 1, shape [Windows, Species].
        mask: loss weight, 0 to 1, shape [Windows, Species].
        l2: strength of the regularization.
    """
    weights, bias = fit_logistic(whitening.of(vectors), target, mask, l2)
    weights = whitening.matrix @ weights
    return LinearHead(weights.astype(np.float32), (bias - whitening.mean @ weights).astype(np.float32))


def choose_regularization(
    whitenings: dict[float, Whitening],
    vectors: NDArray[np.float32],
    target: NDArray[np.float32],
    mask: NDArray[np.float32],
    parts: NDArray[np.integer],
) -> Regularization:
    """Choose the regularization, of `CANDIDATES`, that ranks the windows of left-out parts best.

    The criterion is `mean_average_precision`, where a species is present if its target is above 0.5.

    Args:
        whitenings: by ridge. They know no labels, so they may be of all parts.
        vectors: shape [Windows, Channels].
        target: shape [Windows, Species].
        mask: shape [Windows, Species].
        parts: the part of each window; windows of one recording are in one part, shape [Windows].
    """

    def precision(candidate: Regularization) -> float:
        x = whitenings[candidate.ridge].of(vectors)
        odds = np.empty_like(target)
        for number in np.unique(parts):
            out = parts == number
            weights, bias = fit_logistic(x[~out], target[~out], mask[~out], candidate.l2)
            odds[out] = x[out] @ weights + bias
        return mean_average_precision(target > 0.5, odds, mask)

    return max(CANDIDATES, key=precision)


def mean_average_precision(
    is_present: NDArray[np.bool_], scores: NDArray[np.floating], weights: NDArray[np.floating]
) -> float:
    """The mean over species of the average precision of windows; 0 if no species is both present and absent.

    Args:
        is_present: shape [Windows, Species].
        scores: shape [Windows, Species].
        weights: weight of each score, shape [Windows, Species].
    """
    found = [
        average_precision(is_present[:, number], scores[:, number], weights[:, number])
        for number in range(is_present.shape[1])
        if weights[is_present[:, number], number].any() and weights[~is_present[:, number], number].any()
    ]
    return float(np.mean(found)) if found else 0.0
