"""The student's thresholds: as many windows as the ensemble's, and their probabilities."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.student import thresholds_by_rank, without_thresholds
from dawnchorus.inference.thresholds import WindowModel

MODEL = WindowModel(Calibration(np.array([1.5, 1.0, 1.0]), np.array([0.2, 0.0, 0.0])), np.array([0.2, 0.1, np.nan]))


def table_of(thresholds: list[float]) -> pd.DataFrame:
    values = np.array(thresholds)
    probabilities = MODEL.probabilities(values)
    return pd.DataFrame({
        "species": ["a", "b", "c"], "threshold": values, "probability": probabilities, "precision": 0.9,
        "precision_low": 0.8, "windows_above": 7, "no_promise": "",
    })  # fmt: skip


def test_the_student_finds_as_many_windows_with_the_same_probabilities() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(-2, 3, (3000, 3))
    ensemble = expit(odds).astype(np.float32)
    # A student with the same ranks and other scores.
    student = expit(0.5 * odds + 1).astype(np.float32)
    thresholds = [0.8, 1.0, np.nan]
    model, found = thresholds_by_rank(MODEL, table_of(thresholds), ensemble, student)
    np.testing.assert_array_equal(
        (student >= found.threshold.to_numpy()).sum(axis=0)[:2], [(ensemble[:, 0] >= 0.8).sum(), 0]
    )
    assert list(found.windows_above) == [(ensemble[:, 0] >= 0.8).sum(), 0, 0]
    assert np.isnan(found.threshold[2])
    # Probabilities go with ranks; the curve shrinks a little towards the ensemble's.
    sample = ensemble[:50, :1].repeat(3, axis=1)
    expected = expit(1.5 * logit(sample[:, 0].astype(float)) + 0.2 + logit(0.2))
    own = expit(0.5 * logit(sample.astype(float)) + 1)
    np.testing.assert_allclose(model.probabilities(own)[:, 0], expected, atol=0.04)
    assert list(found.precision) == [0.9] * 3


def test_without_test_recordings_a_student_has_no_thresholds() -> None:
    found = without_thresholds(table_of([0.8, 0.9, np.nan]))
    assert found.threshold.isna().all()
    assert set(found.no_promise) == {"the student's thresholds take at least 20 test recordings"}
