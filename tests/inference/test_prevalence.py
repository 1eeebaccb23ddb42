"""The share of recordings in which a species calls, against known mixtures and a formula worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

from dawnchorus.inference.ensemble import Predictions
from dawnchorus.inference.prevalence import FEWEST_PRESENT, estimate_recording_prevalence
from dawnchorus.reporting.results import corrected_scores, estimated_prevalence


def mixture(calls: np.ndarray, distance: float) -> np.ndarray:
    """Log odds of scores, shape [Recordings, Species], which are higher by `distance` where a species calls."""
    return np.random.default_rng(0).normal(np.where(calls, distance, 0.0), 1.0)


def test_well_separated_recordings_are_counted() -> None:
    """Expected is the mode of the posterior of a share whose log odds are N(-1, 1.5 squared), by root finding."""
    counts = np.array([20, 60, 150])
    calls = np.arange(200)[:, None] < counts
    found = estimate_recording_prevalence(mixture(calls, 12.0), calls & (np.arange(200)[:, None] < 15))
    assert found is not None
    expected = [brentq(lambda x, n=n: 200 * expit(x) - n + (x + 1) / 1.5**2, -10, 10) for n in counts]
    np.testing.assert_allclose(found, expit(expected), rtol=1e-6)


def test_overlapping_recordings_are_counted_in_the_mean() -> None:
    calls = np.random.default_rng(1).random((3000, 3)) < [0.1, 0.3, 0.7]
    found = estimate_recording_prevalence(mixture(calls, 3.0), calls & (np.cumsum(calls, axis=0) <= 20))
    assert found is not None
    np.testing.assert_allclose(logit(found), logit([0.1, 0.3, 0.7]), atol=0.25)


def test_a_species_without_a_present_box_is_as_common_as_the_others() -> None:
    calls = np.arange(200)[:, None] < np.array([20, 60, 40])
    is_present = calls & (np.arange(200)[:, None] < np.array([15, 15, 0]))
    found = estimate_recording_prevalence(mixture(calls, 12.0), is_present)
    assert found is not None
    assert logit(found[2]) == pytest.approx(logit(found[:2]).mean())


def test_scores_that_are_all_equal_give_a_share() -> None:
    is_present = np.arange(30)[:, None] < [20, 20]
    found = estimate_recording_prevalence(np.zeros((30, 2)), is_present)
    assert found is not None
    assert ((found > 0) & (found < 1)).all()


def predictions(n_present: int) -> Predictions:
    """Species s0 calls in the first `n_present` of 40 annotated recordings, which have a box each."""
    names = [f"r{number}" for number in range(40)]
    oof = pd.DataFrame({"s0": np.where(np.arange(40) < n_present, 0.9, 0.1)}, pd.Index(names, name="recording_id"))
    boxes = pd.DataFrame({
        "recording_id": names, "species_id": 0, "t_min": 0.0, "t_max": 1.0, "is_tp": np.arange(40) < n_present,
        "score": oof.s0.to_numpy(),
    })  # fmt: skip
    return Predictions(oof, oof, boxes.set_index(["recording_id", "species_id", "t_min", "t_max", "is_tp"]))


def test_few_present_recordings_correct_nothing() -> None:
    assert corrected_scores({"ensemble": predictions(FEWEST_PRESENT - 1)}, None) is None
    enough = predictions(FEWEST_PRESENT)
    found = estimated_prevalence(enough)
    corrected = corrected_scores({"ensemble": enough}, None)
    assert found is not None
    assert corrected is not None
    np.testing.assert_array_equal(corrected[1], found)
    # 12 of 40, drawn a little to log odds of -1.
    assert 0.28 < found[0] < 0.30
    # A prevalence that is declared needs no annotations.
    assert corrected_scores({"ensemble": predictions(1)}, np.array([0.5])) is not None
