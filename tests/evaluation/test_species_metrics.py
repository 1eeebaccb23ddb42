"""Metrics of each species against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from dawnchorus.evaluation.species_metrics import THRESHOLD, evaluate_species


@pytest.mark.parametrize("seed", range(5))
def test_metrics_of_known_recordings_are_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, mask = rng.random((60, 7)) < 0.3, rng.random((60, 7)) < 0.7
    scores = np.round(rng.random((60, 7)), 1)  # with ties, also at the threshold
    found = evaluate_species(truth, scores, mask)
    for species in range(7):
        rows = mask[:, species]
        own, of_rows = truth[rows, species], scores[rows, species]
        assert found.average_precision[species] == pytest.approx(average_precision_score(own, of_rows))
        assert found.precision[species] == pytest.approx(precision_score(own, of_rows >= THRESHOLD))
        assert found.recall[species] == pytest.approx(recall_score(own, of_rows >= THRESHOLD))
        assert found.n_present[species] == own.sum()
        assert found.n_recordings[species] == rows.sum()
    assert found.macro() == {
        "macro_average_precision": pytest.approx(found.average_precision.mean()),
        "macro_precision_at_0.5": pytest.approx(found.precision.mean()),
        "macro_recall_at_0.5": pytest.approx(found.recall.mean()),
    }


def test_what_labels_do_not_determine_is_nan_and_left_out_of_means() -> None:
    """Species 0 is present everywhere, 1 nowhere, 2 never scored high, 3 unknown, 4 as usual."""
    truth = np.array([[1, 0, 1, 1, 1], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    scores = np.array([[0.9, 0.9, 0.3, 0.9, 0.9], [0.8, 0.1, 0.2, 0.1, 0.8], [0.2, 0.1, 0.1, 0.1, 0.1]])
    found = evaluate_species(truth, scores, np.array([[True, True, True, False, True]] * 3))
    np.testing.assert_allclose(found.average_precision, [np.nan, np.nan, 1, np.nan, 1])
    np.testing.assert_allclose(found.precision, [np.nan, 0, np.nan, np.nan, 0.5])
    np.testing.assert_allclose(found.recall, [2 / 3, np.nan, 0, np.nan, 1])
    assert found.macro()["macro_precision_at_0.5"] == 0.25
    nothing = evaluate_species(truth[:0], scores[:0], truth[:0])
    assert nothing.macro() == {}
    assert list(nothing.n_recordings) == [0] * 5
