"""What is said of held-out recordings holds where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from dawnchorus.inference.crossfit import deal, held_out_probabilities, measure_thresholds, reliability_table
from dawnchorus.inference.reliability_tables import calibration_errors, calibration_lines
from dawnchorus.inference.thresholds import Evidence

PREVALENCE = np.array([0.3, 0.1, 0.1])


def windows(seed: int, n: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """The truth of windows and their scores, which are too extreme, shape [Windows, 3]."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < PREVALENCE
    return truth, expit(2 * (np.where(truth, 2.0, -2.0) + rng.normal(0, 1.5, truth.shape)))


def evidence_of(truth: NDArray[np.bool_], scores: NDArray[np.float64], species: int) -> Evidence:
    """Recordings of ten windows that are annotated completely for the first `species` species."""
    row, number = np.indices(truth[:, :species].shape).reshape(2, -1)
    return Evidence(number, truth[row, number], scores[row, number], row // 10, np.ones(len(row), bool))


def test_recordings_are_dealt_whole_into_equal_parts() -> None:
    units = np.repeat(np.arange(100, 123), 4)
    parts = deal(units, np.random.default_rng(0))
    table = pd.DataFrame({"unit": units, "part": parts}).drop_duplicates()
    assert table.unit.is_unique
    assert sorted(table.part.value_counts()) == [4, 4, 5, 5, 5]


def test_labels_of_a_recording_say_nothing_about_its_own_probabilities() -> None:
    truth, scores = windows(0, 300)
    evidence = evidence_of(truth, scores, 3)
    parts = deal(evidence.units, np.random.default_rng(0))
    before = held_out_probabilities(evidence, parts, 3)
    evidence.is_present[parts == 2] ^= True
    after = held_out_probabilities(evidence, parts, 3)
    np.testing.assert_array_equal(before[parts == 2], after[parts == 2])
    assert (before[parts != 2] != after[parts != 2]).all()


def test_probabilities_are_nearer_to_the_labels_than_scores() -> None:
    truth, scores = windows(1, 600)
    evidence = evidence_of(truth, scores, 3)
    # Of the third species, only presence is labelled: that shows no reliability.
    evidence = evidence.subset((evidence.species < 2) | evidence.is_present)
    table = reliability_table(evidence, ["x", "y", "z"], np.random.default_rng(0))
    errors = calibration_errors(table)
    assert errors["probability"] < errors["score"] / 2
    assert set(table.species) == {"", "x", "y"}
    of_x, of_y, _ = truth.sum(axis=0)
    for code, n, n_present in (("", 1200, of_x + of_y), ("x", 600, of_x), ("y", 600, of_y)):
        for value in ("score", "probability"):
            rows = table[(table.species == code) & (table.value == value)]
            assert rows.n.sum() == n
            assert rows.predicted.is_monotonic_increasing
            # Each label is in one bin.
            assert (rows.n * rows.observed).sum() == pytest.approx(n_present)
            assert ((rows.observed_low <= rows.observed) & (rows.observed <= rows.observed_high)).all()
    assert calibration_lines(table)[0].startswith("expected calibration error over 1200 labels out of fold: 0.")


def test_without_two_recordings_there_is_no_reliability() -> None:
    truth, scores = windows(0, 10)
    table = reliability_table(evidence_of(truth, scores, 3), ["x", "y", "z"], np.random.default_rng(0))
    assert table.empty
    assert calibration_lines(table) == []


def test_measured_precision_and_recall_are_those_of_the_truth() -> None:
    truth, scores = windows(2, 1500)
    table = measure_thresholds(
        evidence_of(truth, scores, 2), scores, np.arange(1500) // 10, 0.9, np.random.default_rng(0)
    )
    # In many more windows, those above the score at which nine of ten have the species.
    many, of_many = windows(3, 200_000)
    for number in range(2):
        order = np.argsort(-of_many[:, number])
        shares = np.cumsum(many[order, number]) / np.arange(1, len(order) + 1)
        recall = many[order[: np.flatnonzero(shares >= 0.9)[-1] + 1], number].sum() / many[:, number].sum()
        row = table.loc[number]
        assert row.measured_precision == pytest.approx(0.9, abs=0.07)
        assert row.measured_precision_low < 0.9 < row.measured_precision_high
        assert row.measured_recall_low < recall < row.measured_recall_high
    # Of the third species, no recording is annotated completely.
    assert table.loc[2].isna().all()


def test_without_a_false_alarm_precision_is_not_certain() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((400, 3)) < PREVALENCE
    scores = np.where(truth, 0.9, 0.1) + rng.uniform(0, 0.01, truth.shape)
    table = measure_thresholds(
        evidence_of(truth, scores, 3), scores, np.arange(400) // 10, 0.999, np.random.default_rng(0)
    )
    # Nearly all of forty recordings have the first species: Wilson's bound of 39 of 39 is 0.91.
    assert table.measured_precision[0] == 1
    assert 0.85 < table.measured_precision_low[0] < 0.95
    assert (table.measured_precision_low < table.measured_precision).all()
