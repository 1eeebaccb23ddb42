"""Linear heads: against scikit-learn, and with masks."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from dawnchorus.training.linear import (
    CANDIDATES,
    choose_regularization,
    fit_head,
    fit_logistic,
    fit_whitenings,
    mean_average_precision,
)


@pytest.fixture
def windows() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors of 200 windows and 20 channels, one of which never changes, and targets of three species."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(3, 2, (200, 20)).astype(np.float32)
    vectors[:, 7] = 5
    target = (vectors[:, :3] + rng.normal(0, 2, (200, 3)) > 4).astype(np.float32)
    return vectors, target


@pytest.mark.parametrize("l2", [1.0, 100.0])
def test_with_all_labels_it_is_logistic_regression(
    windows: tuple[NDArray[np.float32], NDArray[np.float32]], l2: float
) -> None:
    vectors, target = windows
    x = StandardScaler().fit_transform(vectors).astype(np.float32)
    weights, bias = fit_logistic(x, target, np.ones_like(target), l2)
    for species in range(3):
        model = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=1000).fit(x, target[:, species])
        np.testing.assert_allclose(weights[:, species], model.coef_[0], atol=2e-3)
        assert bias[species] == pytest.approx(model.intercept_[0], abs=0.02)


def test_a_window_counts_for_a_species_as_its_mask_says(
    windows: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    vectors, target = windows
    x = StandardScaler().fit_transform(vectors).astype(np.float32)
    mask = np.random.default_rng(1).choice([0, 0.05, 1], target.shape).astype(np.float32)
    weights, _ = fit_logistic(x, target, mask, 10.0)
    for species in range(3):
        model = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000)
        model.fit(x, target[:, species], sample_weight=mask[:, species])
        np.testing.assert_allclose(weights[:, species], model.coef_[0], atol=2e-3)


def test_a_species_without_a_label_scores_finite(windows: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    vectors, target = windows
    mask = np.ones_like(target)
    mask[:, 1] = 0
    for whitening in fit_whitenings(vectors).values():
        assert np.isfinite(fit_head(whitening, vectors, target, mask, 10.0).scores(vectors)).all()


def test_whitening_is_that_of_the_formula(windows: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    vectors = windows[0][:, :7]
    # Two channels say nearly the same.
    vectors = np.concatenate([vectors, vectors[:, :1] + 0.1 * vectors[:, 1:2]], axis=1)
    roots = np.where(vectors < 0, -np.sqrt(np.abs(vectors)), np.sqrt(np.abs(vectors)))
    standard = StandardScaler().fit_transform(roots.astype(float))
    correlation = np.corrcoef(roots.T.astype(float))
    for ridge, whitening in fit_whitenings(vectors).items():
        expected = standard @ sqrtm((1 + ridge) * np.linalg.inv(correlation + ridge * np.eye(8))).real
        np.testing.assert_allclose(whitening.of(vectors), expected, atol=1e-3)


def test_whitening_takes_little_more_memory_than_its_vectors() -> None:
    vectors = np.random.default_rng(0).normal(3, 2, (20_000, 64)).astype(np.float32)
    tracemalloc.start()
    whitening = fit_whitenings(vectors)[30.0]
    whitening.of(vectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * vectors.nbytes


def test_a_head_scores_as_its_regression_on_whitened_vectors(
    windows: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    vectors, target = windows
    for whitening in fit_whitenings(vectors).values():
        head = fit_head(whitening, vectors, target, np.ones_like(target), 10.0)
        weights, bias = fit_logistic(whitening.of(vectors), target, np.ones_like(target), 10.0)
        expected = 1 / (1 + np.exp(-(whitening.of(vectors) @ weights + bias)))
        np.testing.assert_allclose(head.scores(vectors), expected, atol=1e-4)


def test_a_channel_that_never_changes_counts_for_nothing(
    windows: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    vectors, target = windows
    for whitening in fit_whitenings(vectors).values():
        assert (fit_head(whitening, vectors, target, np.ones_like(target), 1.0).weights[7] == 0).all()


def test_the_regularization_ranks_left_out_parts_best() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(90, 100)).astype(np.float32)
    target = (vectors[:, :30].mean(axis=1, keepdims=True) + rng.normal(0, 0.1, (90, 1)) > 0.1).astype(np.float32)
    parts = np.arange(90) % 3
    whitenings = fit_whitenings(vectors)
    found = {}
    for candidate in CANDIDATES:
        x, scores = whitenings[candidate.ridge].of(vectors), np.empty(90)
        for part in range(3):
            out = parts == part
            model = LogisticRegression(C=1 / candidate.l2, tol=1e-8, max_iter=1000).fit(x[~out], target[~out, 0])
            scores[out] = model.decision_function(x[out])
        found[candidate] = average_precision_score(target[:, 0], scores)
    assert len(set(found.values())) > 1
    chosen = choose_regularization(whitenings, vectors, target, np.ones_like(target), parts)
    assert found[chosen] == pytest.approx(max(found.values()), abs=1e-6)


def test_the_criterion_is_scikit_learns_average_precision() -> None:
    rng = np.random.default_rng(0)
    truth, scores, weights = rng.random((50, 3)) < 0.3, rng.random((50, 3)), rng.random((50, 3))
    truth[:, 2] = False
    expected = [average_precision_score(truth[:, i], scores[:, i], sample_weight=weights[:, i]) for i in (0, 1)]
    assert mean_average_precision(truth, scores, weights) == pytest.approx(np.mean(expected))
    assert mean_average_precision(truth[:, 2:], scores[:, 2:], weights[:, 2:]) == 0
