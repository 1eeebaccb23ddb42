"""Answers to random samples: what they promise is kept, and tables say what they rest on."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from tiny import ROOT

from dawnchorus.inference.answer_curves import even_weights, fit_curves, pooled_weights
from dawnchorus.inference.answer_thresholds import ANSWERED, answered_windows, apply_answers, why_no_promise
from dawnchorus.inference.calibration import Calibration
from dawnchorus.inference.strata import log_strata
from dawnchorus.inference.threshold_tables import read_thresholds, write_thresholds
from dawnchorus.inference.thresholds import LABELS, WindowModel
from dawnchorus.inference.window_tables import Windows

sys.path.insert(0, str(ROOT / "benchmarks"))

import measured as benchmark

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("world", ["logistic", "faint", "confuser"])
def test_intervals_and_bounds_hold(world: str) -> None:
    found = benchmark.summary(benchmark.measure(world, 25, 800, 30, seed=3)).iloc[0]
    # Of 25 intervals that each hold with 0.9, at least 20 hold in 97 of 100 cases.
    assert found.interval_holds >= 20 / 25
    assert found.bound_holds >= 0.85
    assert found.true_precision >= 0.88


def many_answers(n: int, offset: float, slope: float) -> tuple:
    """Answers to many windows, drawn evenly, whose probabilities follow a known curve."""
    scores = expit(RNG.uniform(-6, 6, n))
    return scores, RNG.random(n) < expit(offset + slope * logit(scores))


def test_many_answers_give_the_true_curve_whatever_was_known_before() -> None:
    scores, is_present = many_answers(3000, -1.0, 0.8)
    for prior in ((1.0, 1.5), (-3.0, 0.5)):
        curves = fit_curves(scores, is_present, np.ones(3000), prior, np.random.default_rng(0))
        shown = np.array([0.05, 0.3, 0.7, 0.95])
        found = curves.probabilities(shown)
        np.testing.assert_allclose(found.mean(axis=0), expit(-1.0 + 0.8 * logit(shown)), atol=0.05)
        assert found.std(axis=0).max() < 0.05


def test_few_answers_leave_much_open() -> None:
    scores, is_present = many_answers(3000, -1.0, 0.8)
    few = fit_curves(scores[:15], is_present[:15], np.ones(15), (-1.0, 0.8), np.random.default_rng(0))
    assert few.probabilities(np.array([0.7])).std() > 0.08


def test_answers_that_are_all_the_same_are_not_taken_for_certainty() -> None:
    curves = fit_curves(np.full(12, 0.9), np.ones(12, bool), np.ones(12), (0.0, 1.0), np.random.default_rng(0))
    low, high = np.quantile(curves.probabilities(np.array([0.9])), [0.05, 0.95])
    assert low < 0.93
    assert high > 0.97


def test_a_sample_by_an_earlier_model_is_weighted_back() -> None:
    """Windows were drawn by scores that tell more than the present ones: the drawn ones are not like the others."""
    rng = np.random.default_rng(5)
    truth = rng.random(20_000) < 0.2
    old = expit(np.where(truth, 2.0, -2.0) + rng.normal(0, 1, 20_000))
    present = expit(np.where(truth, 0.5, -0.5) + rng.normal(0, 1, 20_000))
    strata = log_strata(old, 6, rng)
    rows = np.concatenate([rng.choice(np.flatnonzero(strata == each), 60, replace=False) for each in range(1, 7)])
    inclusion = 60 / np.bincount(strata)[strata[rows]]
    similar = log_strata(present, 6, rng)[rows]
    weights = even_weights(1 / inclusion, similar)
    np.testing.assert_allclose([weights[similar == each].mean() for each in range(1, 7)], 1)
    near = np.abs(logit(present) - 0.5) < 0.5
    expected = truth[near].mean()
    shown = np.array([expit(0.5)])
    by_weight, without = (
        fit_curves(present[rows], truth[rows], each, (-1.0, 1.0), rng).probabilities(shown).mean()
        for each in (weights, np.ones(len(rows)))
    )
    assert abs(by_weight - expected) < 0.1
    assert without - expected > 0.2


def test_samples_of_the_same_windows_are_pooled_by_their_size() -> None:
    weights = pooled_weights(np.array([0.1, 0.1, 0.1, 0.5]), ["a", "a", "a", "b"])
    np.testing.assert_allclose(weights, [7.5, 7.5, 7.5, 0.5])


WINDOWS = Windows.of(["a", "b"], [np.array([0.0, 1.5, 3.0])] * 2, [np.full((3, 2), 0.5)] * 2, 2)


def answer(recording_id: str, t_min: float, said: str, **more: object) -> dict[str, object]:
    row = {"review": "m", "item": 1, "recording_id": recording_id, "split": "test", "t_min": t_min,
           "t_max": t_min + 3, "species": "LARK", "answer": said, "purpose": "measure",
           "inclusion_probability": 0.5}  # fmt: skip
    return row | more


def test_answers_find_their_windows() -> None:
    table = pd.DataFrame([
        answer("b", 1.5, "present"), answer("b", 1.4933, "absent", species="OWL"), answer("b", 2.0, "absent"),
        answer("c", 0, "present"), answer("a", 0, "unsure"), answer("a", 0, "present", purpose="improve"),
        answer("a", 0, "present", split="train"), answer("a", 0, "present", purpose="spent"),
    ])  # fmt: skip
    found = answered_windows(table, WINDOWS, "test", ["OWL", "LARK"])
    assert found[["species_id", "row", "is_present"]].to_numpy().tolist() == [[1, 4, True], [0, 4, False]]
    assert found.attrs["missing"] == 2


def thresholds(n_windows: int = 500) -> tuple[WindowModel, pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Thresholds of two species from annotations, scores of windows, and thirty answers about the second species."""
    rng = np.random.default_rng(2)
    truth = rng.random(n_windows) < 0.2
    scores = np.column_stack([rng.random(n_windows), expit(np.where(truth, 3.0, -3.0) + rng.normal(0, 1, n_windows))])
    model = WindowModel(Calibration(np.array([1.1, 0.9]), np.array([0.1, 0.2])), np.array([0.3, np.nan]))
    table = pd.DataFrame({
        "species": ["OWL", "LARK"], "threshold": [0.8, np.nan], "probability": [0.7, np.nan],
        "precision": [0.9, np.nan], "precision_low": [0.8, np.nan], "windows_above": [9, 0], **dict.fromkeys(LABELS, 5),
        "no_promise": ["", "no present box"], "prevalence": model.prevalence,
    })  # fmt: skip
    rows = np.argsort(-scores[:, 1])[::16][:30]
    answered = pd.DataFrame({"species_id": 1, "row": rows, "is_present": truth[rows], "inclusion_probability": 0.06,
                             "review": "m"})  # fmt: skip
    return model, table, scores, answered


def test_answers_replace_the_figures_of_their_species_only(tmp_path: Path) -> None:
    model, table, scores, answered = thresholds()
    after, found = apply_answers(model, table, scores, answered, 0.9, 1)
    assert found.loc[0, list(table.columns)].to_dict() == table.loc[0].to_dict()
    assert (after.calibration.slopes[0], after.prevalence[0]) == (1.1, 0.3)
    lark = found.loc[1]
    assert lark.rests_on == "30 answers of m"
    assert found.rests_on[0] == "annotations"
    assert lark.no_promise == ""
    assert lark.windows_above == (scores[:, 1] >= lark.threshold).sum()
    assert lark.density_low < 0.2 < lark.density_high
    assert after.prevalence[1] == lark.density
    write_thresholds(tmp_path / "thresholds.csv", after, found)
    model_again, again = read_thresholds(tmp_path / "thresholds.csv", ["OWL", "LARK"])
    np.testing.assert_allclose(model_again.calibration.slopes, after.calibration.slopes, rtol=1e-8)
    assert again.rests_on.tolist() == ["annotations", "30 answers of m"]
    np.testing.assert_allclose(again.density[1], lark.density, rtol=1e-8)


def test_too_few_answers_promise_nothing() -> None:
    model, table, scores, answered = thresholds()
    _, found = apply_answers(model, table, scores, answered[:9], 0.9, 1)
    assert found.no_promise.tolist() == ["", "no present box"]
    assert found.answers.tolist() == [0, 9]
    answered = answered.assign(is_present=[True] + [False] * 29)
    _, found = apply_answers(model, table, scores, answered, 0.9, 1)
    assert found.no_promise[1] == "1 of the answers is present"


def test_a_table_without_answers_has_no_columns_about_them(tmp_path: Path) -> None:
    model, table, _, _ = thresholds()
    write_thresholds(tmp_path / "thresholds.csv", model, table)
    assert not set(ANSWERED) & set((tmp_path / "thresholds.csv").read_text().split("\n")[0].split(","))
    _, again = read_thresholds(tmp_path / "thresholds.csv", ["OWL", "LARK"])
    assert again.rests_on.tolist() == ["annotations"] * 2
    assert again.density.isna().all()


@pytest.mark.parametrize(
    ("n_present", "windows_above", "expected"),
    [
        (3, 3, ""),
        (3, 2, "only 2 windows reach it"),
        (3, 0, "no window reaches it"),
        (2, 9, "2 of the answers are present"),
    ],
)
def test_a_promise_rests_on_three_present_answers_and_three_windows(
    n_present: int, windows_above: int, expected: str
) -> None:
    assert why_no_promise(n_present, windows_above) == expected
