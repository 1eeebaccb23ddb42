"""Metrics of box scores, against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from dawnchorus.data.annotations import BOX_COLUMNS
from dawnchorus.evaluation.box_metrics import average_precision_and_auc, evaluate_boxes, macro_average_precision


def scored_boxes(seed: int, n_boxes: int = 150, n_recordings: int = 40, n_species: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    is_tp = rng.random(n_boxes) < 0.4
    species = rng.integers(0, n_species, n_boxes)
    # The last species has only TP boxes.
    is_tp[species == n_species - 1] = True
    begin = rng.uniform(0, 50, n_boxes)
    return pd.DataFrame({
        "recording_id": [f"r{number}" for number in rng.integers(0, n_recordings, n_boxes)], "species_id": species,
        "t_min": begin, "t_max": begin + 1, "is_tp": is_tp, "score": (rng.random(n_boxes) + 0.4 * is_tp).round(2),
    }).set_index(BOX_COLUMNS)  # fmt: skip


@pytest.mark.parametrize("digits", [1, 8])
def test_weighted_metrics_equal_scikit_learn(digits: int) -> None:
    rng = np.random.default_rng(0)
    is_tp = rng.random(40) < 0.4
    scores = (rng.random(40) + 0.3 * is_tp).round(digits)  # one digit: many ties
    weights = rng.integers(0, 4, (40, 5))
    average_precision, auc = average_precision_and_auc(is_tp, scores, weights)
    for row, found in enumerate(weights.T):
        assert average_precision[row] == pytest.approx(average_precision_score(is_tp, scores, sample_weight=found))
        assert auc[row] == pytest.approx(roc_auc_score(is_tp, scores, sample_weight=found))
    without_fp = average_precision_and_auc(is_tp, scores, is_tp[:, None].astype(int))
    assert np.isnan(without_fp).all()


def test_metrics_are_means_over_species_with_tp_and_fp_boxes() -> None:
    boxes = scored_boxes(0)
    table = boxes.reset_index()
    parts = [table[table.species_id == species] for species in range(3)]
    found = evaluate_boxes(boxes, 1000, np.random.default_rng(0))
    assert found.box_average_precision == pytest.approx(
        np.mean([average_precision_score(part.is_tp, part.score) for part in parts])
    )
    assert found.box_auc == pytest.approx(np.mean([roc_auc_score(part.is_tp, part.score) for part in parts]))
    assert macro_average_precision(boxes) == found.box_average_precision

    # The interval matches an independent bootstrap of recordings.
    rng = np.random.default_rng(1)
    by_recording = dict(list(table.groupby("recording_id")))
    aucs = []
    for _ in range(150):
        drawn = pd.concat([by_recording[name] for name in rng.choice(sorted(by_recording), len(by_recording))])
        parts = [drawn[drawn.species_id == species] for species in range(3)]
        aucs.append(np.mean([roc_auc_score(part.is_tp, part.score) for part in parts]))
    np.testing.assert_allclose([found.box_auc_low, found.box_auc_high], np.percentile(aucs, [2.5, 97.5]), atol=0.02)


def test_metrics_of_100_000_boxes_of_one_species() -> None:
    is_tp = np.arange(100_000) < 50_000
    found = average_precision_and_auc(is_tp, is_tp.astype(float), np.ones((100_000, 1), np.int32))
    assert [figure[0] for figure in found] == [1, 1]


@pytest.mark.filterwarnings("error")
def test_metrics_are_nan_without_fp_boxes() -> None:
    boxes = scored_boxes(1)
    found = evaluate_boxes(boxes[boxes.index.get_level_values("is_tp")], 100, np.random.default_rng(0))
    assert np.isnan(found.box_auc)
    assert np.isnan(found.box_average_precision_low)
