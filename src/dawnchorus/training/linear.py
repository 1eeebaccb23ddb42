"""Linear heads on embeddings: masked logistic regression with strong L2 regularization."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import average_precision_score

from dawnchorus.models.linear_head import LinearHead

# Candidates, in the order of preference where they are equally good. With weak regularization, the many channels of an
# embedding fit the few labels and nothing else.
L2 = (100.0, 300.0, 30.0, 1000.0, 10.0)
MOST_STEPS = 500


def fit_head(
    vectors: NDArray[np.float32], target: NDArray[np.float32], mask: NDArray[np.float32], l2: float
) -> LinearHead:
    """Fit a head to labelled windows.

    It minimizes the sum of the cross-entropies, each weighted by its mask, plus l2 / 2 times the sum of the squared
    weights of standardized channels. The bias is not regularized.

    Args:
        vectors: shape [Windows, Channels].
        target: 0 to 1, shape [Windows, Species].
        mask: loss weight, 0 to 1, shape [Windows, Species].
        l2: strength of the regularization; 1 / C of scikit-learn's `LogisticRegression`.
    """
    mean, scale = vectors.mean(axis=0, dtype=float), vectors.std(axis=0, dtype=float)
    # A channel that never changes says nothing.
    scale = np.where(scale > 1e-6, scale, np.inf)
    x = ((vectors - mean) / scale).astype(np.float32)
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
    weights = found[:-n_species].reshape(n_channels, n_species) / scale[:, None]
    return LinearHead(weights.astype(np.float32), (found[-n_species:] - mean @ weights).astype(np.float32))


def choose_l2(
    vectors: NDArray[np.float32], target: NDArray[np.float32], mask: NDArray[np.float32], parts: NDArray[np.integer]
) -> float:
    """Choose the regularization that ranks the windows of left-out parts best.

    The criterion is the mean over species of the average precision of windows, weighted by their mask, whose species is
    present if its target is above 0.5.

    Args:
        vectors: shape [Windows, Channels].
        target: shape [Windows, Species].
        mask: shape [Windows, Species].
        parts: the part of each window; windows of one recording are in one part, shape [Windows].
    """
    numbers = np.unique(parts)

    def precision(l2: float) -> float:
        scores = np.empty_like(target)
        for number in numbers:
            left_out = parts == number
            head = fit_head(vectors[~left_out], target[~left_out], mask[~left_out], l2)
            scores[left_out] = head.scores(vectors[left_out])
        return mean_average_precision(target > 0.5, scores, mask)

    return max(L2, key=precision)


def mean_average_precision(
    is_present: NDArray[np.bool_], scores: NDArray[np.floating], weights: NDArray[np.floating]
) -> float:
    """The mean over species of the average precision of windows; 0 if no species is both present and absent.

    Args:
        is_present: shape [Windows, Species].
        scores: shape [Windows, Species].
        weights: weight of each score, shape [Windows, Species].
    """
    found: Sequence[float] = [
        average_precision_score(is_present[:, number], scores[:, number], sample_weight=weights[:, number])
        for number in range(is_present.shape[1])
        if weights[is_present[:, number], number].any() and weights[~is_present[:, number], number].any()
    ]
    return float(np.mean(found)) if found else 0.0
