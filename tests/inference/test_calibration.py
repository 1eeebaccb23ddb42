"""Correction for prevalence: calibration against scikit-learn, and the effect on metrics."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from dawnchorus.data.annotations import BOX_COLUMNS
from dawnchorus.data.score_tables import read_scores, write_scores
from dawnchorus.evaluation.clip_metrics import average_precisions
from dawnchorus.evaluation.label_metrics import lwlrap
from dawnchorus.inference.calibration import OFFSET_SPREAD, Calibration, correct, log_odds
from dawnchorus.inference.prevalence import estimate_recording_prevalence


def scored_boxes(species: np.ndarray, is_tp: np.ndarray, odds: np.ndarray) -> pd.DataFrame:
    """Boxes with the given log odds as scores, each in its own recording."""
    begin = np.zeros(len(species))
    names = [f"r{number}" for number in range(len(species))]
    columns = [names, species, begin, begin + 1, is_tp, expit(odds)]
    return pd.DataFrame(dict(zip([*BOX_COLUMNS, "score"], columns, strict=True))).set_index(BOX_COLUMNS)


def draw_boxes(rng: np.random.Generator, offsets: np.ndarray, per_species: int) -> pd.DataFrame:
    """Draw boxes with a log likelihood ratio of offset + log odds; the log odds are N(+-1 - offset, variance 2)."""
    species = np.repeat(np.arange(len(offsets)), per_species)
    is_tp = rng.random(len(species)) < 0.4
    return scored_boxes(species, is_tp, np.where(is_tp, 1, -1) - offsets[species] + rng.normal(0, 2**0.5, len(species)))


def test_calibration_of_one_species_with_a_free_slope_is_platt_scaling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dawnchorus.inference.calibration.COMMON_SLOPE_SPREAD", 1e6)
    boxes = draw_boxes(np.random.default_rng(0), np.array([0.7]), 200)
    found = Calibration.of_boxes(boxes, 1)
    is_tp = boxes.index.get_level_values("is_tp").to_numpy(bool)
    platt = LogisticRegression(C=np.inf, tol=1e-8).fit(log_odds(boxes.to_numpy()), is_tp)
    assert found.slopes[0] == pytest.approx(platt.coef_[0, 0], abs=1e-3)
    # Platt's intercept includes the odds of TP boxes in the table; a likelihood ratio must not.
    assert found.offsets[0] == pytest.approx(platt.intercept_[0] - logit(is_tp.mean()), abs=1e-3)


def test_offsets_of_species_with_few_boxes_shrink_towards_the_common_offset() -> None:
    offsets = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 0.0])
    many = Calibration.of_boxes(draw_boxes(np.random.default_rng(0), offsets, 4000), 7)
    np.testing.assert_allclose(many.offsets[:6], offsets, atol=0.2)
    np.testing.assert_allclose(many.slopes, 1, atol=0.1)
    few = Calibration.of_boxes(draw_boxes(np.random.default_rng(0), offsets, 8), 7)
    assert few.offsets[:6].std() < 0.6 * offsets.std()
    # The seventh species has no boxes.
    for found in (many, few):
        assert found.offsets[6] == pytest.approx(found.offsets[:6].mean(), abs=0.05)


@pytest.mark.filterwarnings("error")
def test_scores_are_unchanged_if_no_species_has_tp_and_fp_boxes() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 20)
    without_fp = scored_boxes(rng.integers(0, 3, 20), np.ones(20, bool), odds)
    for boxes in (without_fp, without_fp[:0]):
        found = Calibration.of_boxes(boxes, 3)
        assert [*found.slopes, *found.offsets] == [1, 1, 1, 0, 0, 0]


def test_calibration_is_finite_for_perfectly_separated_boxes() -> None:
    is_tp = np.arange(12) % 2 == 0
    found = Calibration.of_boxes(scored_boxes(np.arange(12) // 6, is_tp, np.where(is_tp, 3.0, -3.0)), 2)
    assert ((found.slopes >= 1) & (found.slopes < 5)).all()
    assert np.abs(found.offsets).max() < 5 * OFFSET_SPREAD


def test_a_declared_prevalence_is_applied_by_bayes_rule() -> None:
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.random((5, 3)), index=list("abcde"), columns=["s0", "s1", "s2"])
    declared = np.array([0.5, 0.9, 0.01])
    # Without boxes, the scores are the probabilities at a prevalence of 0.5.
    corrected = correct(scores, scored_boxes(np.zeros(0, int), np.zeros(0, bool), np.zeros(0)), declared)
    p = scores.to_numpy()
    expected = p * declared / (p * declared + (1 - p) * (1 - declared))
    np.testing.assert_allclose(corrected, expected)
    assert corrected.index.equals(scores.index)


def test_correction_improves_scores_that_ignore_prevalence() -> None:
    rng = np.random.default_rng(0)
    prevalence = np.geomspace(0.8, 0.02, 10)
    truth = rng.random((300, 10)) < prevalence
    offsets = rng.normal(0, 0.4, 10)
    scores = pd.DataFrame(expit(np.where(truth, 1, -1) - offsets + rng.normal(0, 2**0.5, truth.shape)))
    boxes = draw_boxes(rng, offsets, 40)
    before = lwlrap(truth, scores.to_numpy())
    # Other recordings, by the same models. In 15 of them each species is known to call.
    others = rng.random((300, 10)) < prevalence
    others[:15] = True
    odds = np.where(others, 1, -1) - offsets + rng.normal(0, 2**0.5, others.shape)
    found = estimate_recording_prevalence(odds, np.arange(300)[:, None] < np.full(10, 15))
    assert found is not None
    estimated, known = correct(scores, boxes, found), correct(scores, boxes, prevalence)
    assert lwlrap(truth, estimated.to_numpy()) >= before + 0.5 * (lwlrap(truth, known.to_numpy()) - before)
    assert lwlrap(truth, known.to_numpy()) >= before + 0.05
    assert spearmanr(found, prevalence)[0] >= 0.9
    # The ranking within a species does not change, even close to 0 or 1.
    np.testing.assert_array_equal(scores.rank(), estimated.rank())
    extreme = pd.DataFrame({0: np.array([1e-11, 1e-9, 1e-7, 0.5, 1 - 2**-23, 1 - 2**-24], np.float32)})
    of_one = boxes.xs(0, level="species_id", drop_level=False)
    np.testing.assert_array_equal(extreme.rank(), correct(extreme, of_one, np.array([0.2])).rank())


def test_corrected_scores_near_0_and_1_keep_their_order_in_the_file(tmp_path: Path) -> None:
    """Float32 scores of common and rare species, with corrected log odds from -40 to 40."""
    rng = np.random.default_rng(0)
    is_tp = rng.random(400) < 0.5
    species = np.arange(400) % 4
    # These boxes are well separated, so the slope is above 1.
    boxes = scored_boxes(species, is_tp, np.where(is_tp, 3.0, -3.0))
    odds = rng.uniform(-20, 16, (300, 4))
    truth = rng.random(odds.shape) < expit(odds - odds.mean())
    names = [f"r{number}" for number in range(300)]
    scores = pd.DataFrame(expit(odds).astype(np.float32), names, ["s0", "s1", "s2", "s3"])
    prevalence = expit(np.array([12.0, 5.0, 0.0, -12.0]))
    corrected = correct(scores, boxes, prevalence)

    of_boxes = Calibration.of_boxes(boxes, 4)
    wanted = of_boxes.log_likelihood_ratios(scores.to_numpy()) + logit(prevalence)
    assert wanted.min() < -40
    assert wanted.max() > 40
    assert ((wanted > 21.5) & (wanted < 30)).sum() > 50  # with nine digits these would be written as 1

    path = tmp_path / "submission.csv"
    write_scores(path, names, corrected.to_numpy(), list(corrected.columns))
    for found in (read_scores(path), pd.read_csv(path, index_col="recording_id")):
        for axis in (0, 1):
            np.testing.assert_array_equal(found.rank(axis=axis), corrected.rank(axis=axis))
        # The metrics of the file are therefore the same.
        assert lwlrap(truth, found.to_numpy()) == lwlrap(truth, corrected.to_numpy())
        mask = np.ones_like(truth)
        np.testing.assert_array_equal(
            average_precisions(truth, found.to_numpy(), mask), average_precisions(truth, corrected.to_numpy(), mask)
        )
    # Up to log odds of 30, a difference of 0.02 gives different scores.
    order = np.argsort(wanted, axis=None)
    in_order, values = wanted.ravel()[order], corrected.to_numpy().ravel()[order]
    assert (np.diff(values) >= 0).all()
    apart = (np.diff(in_order) > 0.02) & (in_order[1:] < 30)
    assert apart.sum() > 100
    assert (np.diff(values)[apart] > 0).all()
