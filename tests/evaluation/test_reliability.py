"""Reliability diagrams, compared with other implementations and by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from dawnchorus.evaluation.reliability import (
    effective_trials,
    expected_calibration_error,
    reliability,
    wilson_interval,
)


def test_wilsons_interval_is_scipys() -> None:
    n, hits = np.array([1, 1, 7, 40, 1000]), np.array([0, 1, 3, 39, 4])
    for confidence in (0.9, 0.95):
        expected = [binomtest(k, m).proportion_ci(confidence, "wilson") for k, m in zip(hits, n, strict=True)]
        found = np.transpose(wilson_interval(hits / n, n, confidence))
        np.testing.assert_allclose(found, [(each.low, each.high) for each in expected], atol=1e-12)
    low, high = wilson_interval(np.array([0.0, 1.0]), np.array([5, 5]))
    assert low[0] == 0
    assert high[1] == 1


def test_bins_of_equal_size_are_sklearns() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.random(200)
    is_present = rng.random(200) < predicted**2
    table = reliability(predicted, is_present, 10)
    observed, mean = calibration_curve(is_present, predicted, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(table.observed, observed)
    np.testing.assert_allclose(table.predicted, mean)
    assert table.n.tolist() == [20] * 10


def test_the_calibration_error_by_hand() -> None:
    # Three predictions of 0.2 on average, none right, and two of 0.9, one right.
    table = reliability(np.array([0.9, 0.1, 0.2, 0.9, 0.3]), np.array([True, False, False, False, False]), 2)
    assert table.n.tolist() == [3, 2]
    assert expected_calibration_error(table) == pytest.approx((3 * 0.2 + 2 * 0.4) / 5)


def test_equal_outcomes_in_each_unit_are_as_many_trials_as_units() -> None:
    units = np.repeat(np.arange(40), 5)
    assert effective_trials(units % 4 == 0, units) == pytest.approx(40 * 39 / 40)
    assert effective_trials(np.ones(200, bool), units) == 40
    # Without a difference between units, each outcome counts.
    assert effective_trials(np.tile([True, False, False, True], 50), np.repeat(np.arange(50), 4)) == 200


def test_intervals_cover_where_recordings_differ() -> None:
    """Recordings of 100 windows each, with a rate of their own around 0.3."""
    rng = np.random.default_rng(0)
    covered = {True: 0, False: 0}
    for _ in range(200):
        rates = rng.beta(1.5, 3.5, 30)
        is_present = rng.random((30, 100)) < rates[:, None]
        units = np.repeat(np.arange(30), 100)
        for by_recording in covered:
            row = reliability(np.full(3000, 0.3), is_present.ravel(), 1, units if by_recording else None).iloc[0]
            covered[by_recording] += row.observed_low <= 0.3 <= row.observed_high
    # Of 200, 190 should be; within two standard deviations of that.
    assert covered[True] >= 184
    assert covered[False] < 100
