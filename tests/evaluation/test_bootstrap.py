"""Bootstrap intervals, against independent resampling."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import label_ranking_average_precision_score

from dawnchorus.data.annotations import BOX_COLUMNS
from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.evaluation.bootstrap import draw_recordings, lwlrap_intervals, number_groups
from dawnchorus.evaluation.box_metrics import evaluate_boxes
from dawnchorus.evaluation.label_metrics import ranking_precisions
from dawnchorus.reporting.metrics import box_figures, figures

N_RECORDINGS = 120
NAMES = [f"r{number:03d}" for number in range(N_RECORDINGS)]
# Twelve sites of different sizes. Each site is easy or hard, so its recordings resemble each other.
SITE_OF = np.sort(np.random.default_rng(7).integers(0, 12, N_RECORDINGS))
SITES = pd.Series([f"site{number}" for number in SITE_OF], index=NAMES)


def clip_case() -> tuple[np.ndarray, np.ndarray]:
    """Ground truth and scores; the scores of a third of the sites are good, those of the others random."""
    rng = np.random.default_rng(1)
    truth = rng.random((N_RECORDINGS, 6)) < 0.3
    truth[::10] = False  # recordings without calls must not count
    return truth, rng.random(truth.shape) + np.where(SITE_OF % 3 == 0, 0.8, 0.0)[:, None] * truth


def box_case() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    owner = rng.integers(0, N_RECORDINGS, 600)
    is_tp = rng.random(600) < 0.5
    begin = rng.uniform(0, 50, 600)
    score = rng.random(600) + np.where(SITE_OF[owner] % 3 == 0, 0.8, 0.0) * is_tp
    columns = [np.array(NAMES)[owner], rng.integers(0, 2, 600), begin, begin + 1, is_tp, score]
    return pd.DataFrame(dict(zip([*BOX_COLUMNS, "score"], columns, strict=True))).set_index(BOX_COLUMNS)


def resampled_lwlrap(truth: np.ndarray, scores: np.ndarray, units: list[np.ndarray]) -> np.ndarray:
    """The 95 % interval over resamplings of units; a unit is an array of rows that are drawn together."""
    labels = truth.sum(axis=1)
    of_row = [label_ranking_average_precision_score(truth[[row]], scores[[row]]) for row in range(len(truth))]
    rng = np.random.default_rng(3)
    values = []
    for _ in range(4000):
        rows = np.concatenate([units[unit] for unit in rng.integers(0, len(units), len(units))])
        values.append(np.average(np.array(of_row)[rows], weights=labels[rows]))
    return np.percentile(values, [2.5, 97.5])


def test_lwlrap_intervals_match_an_independent_bootstrap_of_recordings_and_groups() -> None:
    truth, scores = clip_case()
    precision, labels = ranking_precisions(truth, scores).sum(axis=1), truth.sum(axis=1)
    used = np.flatnonzero(labels)
    alone = resampled_lwlrap(truth, scores, [np.array([row]) for row in used])
    whole = resampled_lwlrap(truth, scores, [used[SITE_OF[used] == site] for site in np.unique(SITE_OF[used])])
    found, grouped = (
        lwlrap_intervals([precision], labels, 4000, np.random.default_rng(0), groups)[0] for groups in (None, SITE_OF)
    )
    np.testing.assert_allclose(found, alone, atol=0.01)
    np.testing.assert_allclose(grouped, whole, atol=0.01)
    # Recordings of a site resemble each other, so they contain less information than their number suggests.
    assert np.diff(grouped) > 1.5 * np.diff(found)


def test_box_intervals_match_an_independent_bootstrap_of_groups() -> None:
    boxes = box_case()
    table = boxes.reset_index()
    sites, site_of_box = np.unique(table.recording_id.map(SITES), return_inverse=True)
    pairs = []
    for _, part in table.groupby("species_id"):
        tp, fp = part[part.is_tp], part[~part.is_tp]
        higher = tp.score.to_numpy()[:, None] > fp.score.to_numpy()
        pairs.append((site_of_box[tp.index], site_of_box[fp.index], higher))
    rng = np.random.default_rng(3)
    aucs = []
    for _ in range(4000):
        drawn = np.bincount(rng.integers(0, len(sites), len(sites)), minlength=len(sites))
        # The fraction of drawn pairs in which the TP box has the higher score.
        found_of = [drawn[tp] @ higher @ drawn[fp] / drawn[tp].sum() / drawn[fp].sum() for tp, fp, higher in pairs]
        aucs.append(np.mean(found_of))
    found = evaluate_boxes(boxes, 4000, np.random.default_rng(0), SITES)
    np.testing.assert_allclose([found.box_auc_low, found.box_auc_high], np.percentile(aucs, [2.5, 97.5]), atol=0.01)
    alone = evaluate_boxes(boxes, 4000, np.random.default_rng(0))
    assert found.box_auc == alone.box_auc
    assert found.box_auc_high - found.box_auc_low > 1.5 * (alone.box_auc_high - alone.box_auc_low)


def test_recordings_of_a_group_are_drawn_equally_often() -> None:
    groups = np.array([3, 1, 3, 8, 1, 3])
    (drawn,) = draw_recordings(6, 50, 50, np.random.default_rng(0), groups)
    assert (drawn[:, [0, 0, 1]] == drawn[:, [2, 5, 4]]).all()
    # Each resampling draws three groups.
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(drawn, axis=0)) == 10  # all ways to draw three of three groups


def test_draws_do_not_depend_on_how_many_are_in_memory_at_once() -> None:
    whole = np.concatenate(list(draw_recordings(9, 20, 20, np.random.default_rng(0))))
    parts = list(draw_recordings(9, 20, 7, np.random.default_rng(0)))
    assert [len(part) for part in parts] == [7, 7, 6]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (whole.sum(axis=1) == 9).all()


@pytest.mark.parametrize("groups", [pd.Series(NAMES, NAMES), pd.Series("", NAMES), pd.Series(None, NAMES, object)])
def test_groups_of_one_recording_and_empty_groups_give_the_metrics_without_groups(groups: pd.Series) -> None:
    truth, scores = clip_case()
    ground_truth = GroundTruth.of_truth(pd.DataFrame(truth, index=NAMES).astype(int))
    submissions = {"model": pd.DataFrame(scores, NAMES)}
    # The rows of `groups` may have any order.
    shuffled = groups.sample(frac=1, random_state=0)
    assert figures(ground_truth, submissions, 100, 1, shuffled) == figures(ground_truth, submissions, 100, 1)
    boxes = {"model": box_case()}
    assert box_figures(boxes, 100, 1, shuffled) == box_figures(boxes, 100, 1)
    sites = figures(ground_truth, submissions, 100, 1, SITES)
    assert sites["model"]["lwlrap"] == figures(ground_truth, submissions, 100, 1)["model"]["lwlrap"]
    assert sites != figures(ground_truth, submissions, 100, 1)


def test_a_recording_without_a_group_is_a_group_of_its_own() -> None:
    groups = pd.Series({"a": "b", "b": "", "c": "b", "d": None, "e": ""})
    numbers = number_groups(groups, list("abcde"))
    assert numbers[0] == numbers[2]
    assert len(np.unique(numbers)) == 4
    with pytest.raises(KeyError, match="x"):
        number_groups(groups, ["a", "x"])
