"""Metrics of clip scores, against scikit-learn, Keras, sampling and small examples by hand."""

from itertools import combinations

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.baselines import constant_precisions, random_precision, random_precisions
from dawnchorus.evaluation.clip_metrics import Evaluation, Precisions, average_precisions, evaluate
from dawnchorus.evaluation.label_metrics import lwlrap, precision
from dawnchorus.reporting.metrics import figures


def case(seed: int, recordings: int = 60, species: int = 9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((recordings, species)) < rng.uniform(0.05, 0.6, species)
    truth[0] = False  # a recording without calls must not count
    return truth, rng.random(truth.shape) + 0.5 * truth


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 8])
def test_lwlrap_equals_scikit_learn_weighted_by_labels(seed: int, digits: int) -> None:
    truth, scores = case(seed)
    scores = scores.round(digits)  # one digit: many ties
    expected = label_ranking_average_precision_score(truth, scores, sample_weight=truth.sum(axis=1))
    assert lwlrap(truth, scores) == pytest.approx(expected)


def test_precision_equals_keras() -> None:
    truth, scores = case(0)
    metric = keras.metrics.Precision()
    metric.update_state(truth, scores)
    assert precision(truth, scores, np.ones_like(truth)) == pytest.approx(float(metric.result()))
    # Only labels in the mask count. If no score reaches 0.5 the precision is 0, as in Keras.
    known = np.random.default_rng(1).random(truth.shape) < 0.4
    positive = known & (scores >= 0.5)
    assert precision(truth, scores, known) == pytest.approx((truth & positive).sum() / positive.sum())
    assert precision(truth, 0 * scores, known) == 0


def test_lwlrap_by_hand() -> None:
    truth = np.array([[1, 0, 1], [0, 1, 0]], bool)
    scores = np.array([[0.9, 0.8, 0.1], [0.5, 0.4, 0.3]])
    # The true labels have ranks 1 and 3, and 2; the precisions at these ranks are 1/1, 2/3 and 1/2.
    assert lwlrap(truth, scores) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


def test_average_precision_ignores_unlabelled_recordings() -> None:
    truth, scores = case(2)
    known = np.random.default_rng(3).random(truth.shape) < 0.5
    known[:, 0] = False
    values = average_precisions(truth, scores, known)
    assert np.isnan(values[0])
    for species in range(1, truth.shape[1]):
        rows = known[:, species]
        assert values[species] == pytest.approx(average_precision_score(truth[rows, species], scores[rows, species]))


@pytest.mark.parametrize(("positives", "total"), [(1, 1), (1, 5), (3, 10), (10, 10)])
def test_random_precision_is_the_mean_over_all_orders(positives: int, total: int) -> None:
    ranks = -np.arange(total)
    places = [np.isin(ranks, chosen) for chosen in combinations(ranks, positives)]
    assert random_precision(positives, total) == pytest.approx(
        np.mean([average_precision_score(truth, ranks) for truth in places])
    )


def evaluated(precisions: Precisions, truth: np.ndarray) -> Evaluation:
    return evaluate({"one": precisions}, truth, 200, np.random.default_rng(0))["one"]


def test_random_and_constant_submissions() -> None:
    truth, _ = case(4)
    known = np.ones_like(truth)
    rng = np.random.default_rng(0)
    weights = truth.sum(axis=1)
    sampled = [
        label_ranking_average_precision_score(truth, rng.random(truth.shape), sample_weight=weights) for _ in range(200)
    ]
    random = evaluated(random_precisions(truth, known), truth)
    assert random.lwlrap == pytest.approx(np.mean(sampled), abs=0.01)
    assert random.lwlrap_low < random.lwlrap < random.lwlrap_high
    constant = evaluated(constant_precisions(truth, known), truth)
    in_order = truth.mean(axis=0) + 1e-9 * np.arange(truth.shape[1])
    prevalence = np.tile(in_order, (len(truth), 1))
    assert constant.lwlrap == pytest.approx(
        label_ranking_average_precision_score(truth, prevalence, sample_weight=weights)
    )
    assert constant.macro_average_precision == pytest.approx(truth.mean(axis=0).mean())


def test_a_constant_submission_does_not_tie_equally_common_species() -> None:
    # The second species ranks first in both recordings: the precisions are 1/2 and 1. Tied, they would both be 1/2.
    truth = np.eye(2, dtype=bool)
    assert evaluated(constant_precisions(truth, np.ones_like(truth)), truth).lwlrap == 0.75


def test_metrics_do_not_depend_on_the_order_of_rows() -> None:
    truth, scores = case(5)
    names = [f"r{number}" for number in range(len(truth))]
    ground_truth = GroundTruth.of_truth(pd.DataFrame(truth.astype(int), index=names))
    table = pd.DataFrame(scores, index=names)
    report = figures(ground_truth, {"one": table, "shuffled": table.sample(frac=1, random_state=1)}, 100, seed=1)
    assert report["one"] == report["shuffled"]
    assert report["one"]["lwlrap"] == pytest.approx(lwlrap(truth, scores), abs=1e-6)
    assert set(report) == {"one", "shuffled", "constant", "random"}


def test_the_label_mask_covers_only_annotated_species() -> None:
    annotations = pd.DataFrame({
        "recording_id": ["a", "b", "x", "a", "a", "c"], "species_id": [0, 1, 1, 0, 2, 1],
        "is_tp": [True, True, True, False, False, False],
    })  # fmt: skip
    ground_truth = GroundTruth.of_annotations(annotations, ["a", "b", "c"], n_species=3)
    assert ground_truth.truth.astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert ground_truth.mask.astype(int).tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]


@pytest.mark.filterwarnings("error")
def test_macro_average_precision_is_left_out_without_negative_labels() -> None:
    """Without FP rows, no species has a negative label."""
    truth = np.array([[1, 0], [1, 1]], bool)
    ground_truth = GroundTruth(["a", "b"], truth, truth)
    scores = pd.DataFrame([[0.9, 0.1], [0.8, 0.7]], index=["a", "b"], columns=["s0", "s1"])
    found = figures(ground_truth, {"model": scores}, samples=100, seed=1)
    for figure in found.values():
        assert set(figure) == {"lwlrap", "lwlrap_low", "lwlrap_high"}
