"""Thresholds on scores whose truth is known: they keep what they promise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from dawnchorus.errors import InputError
from dawnchorus.inference.prevalence import estimate_window_prevalence
from dawnchorus.inference.threshold_tables import read_thresholds, write_thresholds
from dawnchorus.inference.thresholds import Evidence, WindowModel, choose_thresholds, count_labels, threshold_below

PREVALENCE = np.array([0.3, 0.1, 0.03, 0.1])
SPECIES = ["A", "B", "C", "D"]
MODELS = 3


def draw(rng: np.random.Generator, is_present: NDArray[np.bool_], models: int) -> NDArray[np.float64]:
    """Scores by several models, [Models, ...], whose log odds vary by window and by model."""
    centre = np.where(is_present, 2.0, -3.0) + rng.normal(0, 1.2, is_present.shape)
    return expit(centre + rng.normal(0, 1.2, (models, *is_present.shape)))


def experiment(
    seed: int, per_species: int = 40, windows: int = 4000, prevalence: NDArray = PREVALENCE
) -> tuple[Evidence, list, NDArray, NDArray]:
    """Labelled boxes of the first three species, each in its own recording, and all windows with their truth."""
    rng = np.random.default_rng(seed)
    species = np.repeat(np.arange(3), per_species)
    is_present = rng.random(len(species)) < 0.5
    evidence = Evidence(
        species, is_present, draw(rng, is_present, 1)[0], np.arange(len(species)), np.zeros(len(species), bool)
    )
    truth = rng.random((windows, 4)) < prevalence
    by_group = draw(rng, truth, MODELS)
    return evidence, list(by_group), by_group.mean(axis=0), truth


def choose(evidence: Evidence, groups: list, target: NDArray) -> tuple[WindowModel, pd.DataFrame]:
    """Thresholds for a precision of 0.9, from boxes in a recording each."""
    boxes = pd.DataFrame({"recording_id": evidence.units, "species_id": evidence.species, "is_tp": evidence.is_present})
    labels = count_labels(boxes, np.zeros((0, 4), bool))
    return choose_thresholds(evidence, groups, target, SPECIES, 0.9, labels, np.random.default_rng(0))


def test_precision_is_as_wanted_and_its_lower_bound_holds() -> None:
    precisions, promises = [], []
    for seed in range(20):
        evidence, groups, target, truth = experiment(seed)
        _, table = choose(evidence, groups, target)
        for number in range(3):
            is_above = target[:, number] >= table.threshold[number]
            # The threshold is the lowest: a window more, and its row says how many there are.
            assert is_above.sum() == table.windows_above[number]
            precisions.append(truth[is_above, number].mean())
            promises.append(table.precision_low[number])
        assert (table.precision_low <= table.precision).iloc[:3].all()
    # The larger ensemble separates better than the models that the evidence is from.
    assert np.mean(precisions) == pytest.approx(0.92, abs=0.03)
    # Nine of ten, within what sixty draws can tell.
    assert np.mean(np.array(precisions) >= promises) >= 0.85
    assert np.mean(promises) >= 0.75


def test_probabilities_are_calibrated() -> None:
    evidence, groups, _, truth = experiment(3, per_species=400, windows=20_000)
    model, _ = choose(evidence, groups[:1], groups[0])
    probabilities = model.probabilities(groups[0])[:, :3]
    for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.95)):
        chosen = (probabilities >= low) & (probabilities < high)
        assert truth[:, :3][chosen].mean() == pytest.approx(probabilities[chosen].mean(), abs=0.06)
    np.testing.assert_allclose(model.prevalence[:3], PREVALENCE[:3], rtol=0.3)


def test_what_cannot_be_promised_is_said() -> None:
    evidence, groups, target, _ = experiment(0)
    # Of C, all present boxes are in one recording; D has no box.
    evidence.units[(evidence.species == 2) & evidence.is_present] = 1000
    _, table = choose(evidence, groups, target)
    n_present = int((evidence.is_present & (evidence.species == 2)).sum())
    assert list(table.no_promise) == [
        "", "", f"{n_present} present boxes in 1 recording", "no present box",
    ]  # fmt: skip
    assert table.threshold.notna().tolist() == [True, True, True, False]
    only_present = Evidence(*(values[evidence.is_present] for values in vars(evidence).values()))
    _, table = choose(only_present, groups, target)
    assert list(table.no_promise[:2]) == ["0 absent boxes, and 0 completely annotated recordings"] * 2


def test_other_rounding_changes_no_detection() -> None:
    ranked = np.array([0.99999, 0.9, 0.5, 0.49999, 0.2])[:, None].repeat(6, axis=1).astype(np.float32)
    above = np.arange(6)
    found = threshold_below(ranked, above, np.full(6, 0.3))
    # 0.0001 from the nearest windows, or halfway where they are nearer.
    np.testing.assert_allclose(found, [0.999995, 0.99989, 0.8999, 0.499995, 0.49989, 0.1999], rtol=0, atol=1e-7)
    assert ((ranked - 4e-6 >= found).sum(axis=0) == above).all()
    assert ((ranked + 4e-6 >= found).sum(axis=0) == above).all()
    # Where no window reaches it, it may be higher. Windows with one score reach it together.
    assert threshold_below(ranked[1:], np.zeros(6, int), np.full(6, 0.97)).tolist() == [0.97] * 6
    equal = np.full((3, 1), 0.5, np.float32)
    assert threshold_below(equal, np.array([2]), np.array([0.3])) == pytest.approx(0.5, abs=1e-6)
    assert (equal >= threshold_below(equal, np.array([2]), np.array([0.3]))).all()


@pytest.mark.parametrize(
    ("n_windows", "reason"),
    [(0, "no window reaches it"), (1, "only 1 window reaches it"), (2, "only 2 windows reach it"), (3, "")],
)
def test_a_threshold_that_hardly_any_window_reaches_promises_nothing(n_windows: int, reason: str) -> None:
    evidence, groups, target, _ = experiment(0)
    # All scores of species A but the highest are as low as those of silence; these rank as before.
    rank = (-target[:, 0]).argsort().argsort()
    scores = [np.array(group) for group in (*groups, target)]
    for group in scores:
        group[rank >= n_windows, 0] = 1e-4 * (1 - rank[rank >= n_windows] / len(rank))
        group[rank < n_windows, 0] = 0.999 + 1e-6 * np.arange(n_windows)
    _, table = choose(evidence, scores[:-1], scores[-1])
    assert (table.windows_above[0], table.no_promise[0]) == (n_windows, reason)
    assert table.threshold.notna()[0]


def test_a_bound_that_says_nothing_is_no_promise() -> None:
    """With a dozen boxes a species, some bootstrap bounds are so low that no one can rely on them."""
    low: list[float] = []
    promised: list[float] = []
    for seed in range(12):
        evidence, groups, target, _ = experiment(seed, per_species=16)
        _, table = choose(evidence, groups, target)
        is_enough = (table.windows_above >= 3) & (table.present_recordings >= 5) & (table.absent_boxes >= 5)
        for row in table[is_enough].itertuples():
            (promised if row.no_promise == "" else low).append(row.precision_low)
            said = f"its labels leave room for a precision of {row.precision_low:.2f}"
            assert row.no_promise == ("" if row.precision_low >= 0.45 else said)
    assert len(low) >= 1
    assert len(promised) >= 10


def test_a_frequent_species_keeps_its_promise() -> None:
    """Some resamplings put its prevalence above what boxes can tell, which is no sign of a low precision."""
    bounds, precisions = [], []
    for seed in range(8):
        evidence, groups, target, truth = experiment(seed, prevalence=np.array([0.42, 0.42, 0.42, 0.1]))
        _, table = choose(evidence, groups, target)
        for number in np.flatnonzero(table.threshold[:3].notna()):
            bounds.append(table.precision_low[number])
            precisions.append(truth[target[:, number] >= table.threshold[number], number].mean())
    assert len(bounds) >= 12
    assert min(bounds) > 0.6
    assert np.mean(np.array(precisions) >= bounds) >= 0.9


def test_windows_of_which_all_is_known_show_the_prevalence() -> None:
    """Recordings of ten windows are annotated completely; their windows are also those that are thresholded."""
    _, _, _, truth = experiment(1, windows=2000)
    scores = draw(np.random.default_rng(5), truth, 1)[0]
    row, species = np.indices(truth.shape).reshape(2, -1)
    evidence = Evidence(species, truth.ravel(), scores.ravel(), row // 10, np.ones(truth.size, bool))
    boxes = pd.DataFrame({"recording_id": row // 10, "species_id": species, "is_tp": truth.ravel()})[truth.ravel()]
    labels = count_labels(boxes, np.ones((200, 4), bool))
    model, table = choose_thresholds(evidence, [scores], scores, SPECIES, 0.9, labels, np.random.default_rng(0))
    np.testing.assert_allclose(model.prevalence, (truth.sum(axis=0) + 1) / (2000 + 2))
    for number in range(4):
        is_above = scores[:, number] >= table.threshold[number]
        assert truth[is_above, number].mean() == pytest.approx(0.9, abs=0.05)
        assert truth[is_above, number].mean() >= table.precision_low[number]
    assert set(table.no_promise) == {""}


def test_a_later_round_gets_the_promises_of_the_first_by_rank() -> None:
    """The scores of a later round are on another scale, and too high in the recordings with labels."""
    precisions, promises, prevalence, naive = [], [], [], []
    for seed in range(6):
        evidence, groups, target, truth = experiment(seed, windows=1500)
        later = expit(2 * logit(target) + np.where(truth, 1.0, -1.0) + 1)
        model, table = choose(evidence, groups, later)
        leaking = replace(evidence, scores=expit(2 * logit(evidence.scores) + np.where(evidence.is_present, 4, -3)))
        naive.append(choose(leaking, [later], later)[0].prevalence[:3])
        prevalence.append(model.prevalence[:3])
        for number in range(3):
            precisions.append(truth[later[:, number] >= table.threshold[number], number].mean())
            promises.append(table.precision_low[number])
    # The later round ranks better than the first, so there is more than promised.
    assert np.mean(np.array(precisions) >= promises) >= 0.9
    assert np.mean(precisions) >= 0.9
    off, off_naively = (np.abs(logit(np.array(found)) - logit(PREVALENCE[:3])).mean() for found in (prevalence, naive))
    assert off < 0.3 < off_naively


def test_prevalence_by_hand() -> None:
    # Of the windows, a quarter scores at least each quantile of the two present boxes, from 0.65 to 0.75.
    windows = np.array([[0.1], [0.2], [0.3], [0.9]])
    expected = np.median(0.25 / (1 - np.linspace(0.25, 0.75, 11)))
    found = estimate_window_prevalence([np.array([0.6, 0.8]), np.empty(0)], [np.hstack([windows, windows])])
    np.testing.assert_allclose(found, [expected, np.nan])


def test_a_table_reads_back(tmp_path: Path) -> None:
    evidence, groups, target, _ = experiment(0)
    model, table = choose(evidence, groups, target)
    write_thresholds(tmp_path / "thresholds.csv", model, table)
    found_model, found = read_thresholds(tmp_path / "thresholds.csv", SPECIES)
    np.testing.assert_allclose(found_model.probabilities(target), model.probabilities(target), rtol=1e-6)
    np.testing.assert_allclose(found.threshold, table.threshold, rtol=1e-8)
    assert list(found.no_promise) == list(table.no_promise)
    # A window at the threshold is above it, however scores are rounded.
    assert ((target >= found.threshold.to_numpy()).sum(axis=0) == table.windows_above)[:3].all()


def test_a_table_without_measured_figures_reads_as_one_that_has_none(tmp_path: Path) -> None:
    """Bundles had none at first."""
    evidence, groups, target, _ = experiment(0, windows=100)
    model, table = choose(evidence, groups, target)
    path = tmp_path / "thresholds.csv"
    write_thresholds(path, model, table.assign(measured_recall=[0.25, 0.5, 0.75, np.nan]))
    _, found = read_thresholds(path, SPECIES)
    assert found.measured_recall.tolist()[:3] == [0.25, 0.5, 0.75]
    assert found.measured_precision.isna().all()
    earlier = pd.read_csv(path, keep_default_na=False)
    earlier.drop(columns=[name for name in earlier if name.startswith("measured")]).to_csv(path, index=False)
    _, found = read_thresholds(path, SPECIES)
    assert found.measured_recall.isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"species": ["A", "B", "D", "C"]}, "line 4, column species: found 'D', expected the species A, B, C, D"),
        ({"threshold": 1.5}, "column threshold: found 1.5, expected a number from 0 to 1"),
        ({"slope": -1.0}, "column slope: found -1, expected a number above 0"),
    ],
)
def test_a_damaged_table_is_refused(change: dict, message: str, tmp_path: Path) -> None:
    evidence, groups, target, _ = experiment(0, windows=100)
    model, table = choose(evidence, groups, target)
    path = tmp_path / "thresholds.csv"
    write_thresholds(path, model, table)
    pd.read_csv(path, keep_default_na=False).assign(**change).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        read_thresholds(path, SPECIES)


def test_boxes_that_score_like_any_window_give_no_threshold() -> None:
    """Six boxes of a species whose scores are no higher than those of the windows, which are then all above them."""
    evidence, groups, target, _ = experiment(0)
    rng = np.random.default_rng(3)
    of_first = np.flatnonzero((evidence.species == 0) & evidence.is_present)[:6]
    others = np.flatnonzero(evidence.species > 0)
    few = evidence.subset(np.sort(np.concatenate([of_first, others])))
    low = np.where(
        few.species == 0, np.quantile(groups[0][:, 0], 0.02) * rng.uniform(0.5, 1, len(few.scores)), few.scores
    )
    model, table = choose(replace(few, scores=low), groups, target)
    assert np.isnan(model.prevalence[0])
    assert np.isnan(table.threshold[0])
    assert np.isnan(model.probabilities(target)[:, 0]).all()
    assert table.no_promise[0] == "more than half of all windows score like its boxes"
    # Other species keep theirs.
    assert table.threshold[1:3].notna().all()
    assert (table.no_promise[1:3] == "").all()
