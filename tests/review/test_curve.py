"""The live figures: precision above a score, and the agreement of reviewers."""

from pathlib import Path

import numpy as np
import pytest
from reviews import make_review
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from dawnchorus.review.agreement import agreement_lines, cohens_kappa
from dawnchorus.review.curve import evidence, precision_curve
from dawnchorus.review.items import IMPROVE
from dawnchorus.review.journal import Answer


def given(item: int, verdict: str, reviewer: str = "Anna", species: str = "wren") -> Answer:
    return Answer(item, verdict, reviewer, "2026-05-01T10:00:00+00:00", species)


def test_with_equal_weights_it_is_the_fraction_with_the_interval_of_wilson() -> None:
    rng = np.random.default_rng(1)
    scores, is_present = rng.random(50), rng.random(50) < 0.7
    found = precision_curve(scores, is_present, np.full(50, 3.0))
    assert np.all(np.diff(found.score) > 0)
    for n, (score, precision, low, high) in enumerate(
        zip(found.score, found.precision, found.low, found.high, strict=True)
    ):
        above = is_present[scores >= score]
        assert len(above) == 50 - n
        expected = binomtest(int(above.sum()), len(above)).proportion_ci(0.9, "wilson")
        assert precision == pytest.approx(above.mean())
        assert (low, high) == pytest.approx((expected.low, expected.high))


def test_a_window_drawn_from_many_counts_for_many() -> None:
    # One of 10 windows below 0.5 and both above were listened to: (10 * 0 + 1 + 1) / 12 are present.
    found = precision_curve(np.array([0.9, 0.2, 0.7]), np.array([True, False, True]), np.array([1.0, 10.0, 1.0]))
    assert found.score.tolist() == [0.2, 0.7, 0.9]
    assert found.precision.tolist() == pytest.approx([2 / 12, 1, 1])
    # Kish: 12^2 / (100 + 1 + 1) = 1.41 answers, so nearly everything is possible.
    assert found.high[0] - found.low[0] > 0.6


def test_equal_scores_make_one_point_and_no_answers_none() -> None:
    found = precision_curve(np.array([0.5, 0.5, 0.5]), np.array([True, False, True]), np.ones(3))
    assert found.score.tolist() == [0.5]
    assert found.precision.tolist() == pytest.approx([2 / 3])
    assert len(precision_curve(np.array([]), np.array([], bool), np.array([])).score) == 0


def test_other_species_count_as_absent_and_unsure_as_nothing(tmp_path: Path) -> None:
    items = make_review(tmp_path).items
    answers = [given(1, "present"), given(2, "other"), given(3, "unsure"), given(1, "absent", "Bert")]
    found = evidence(items, [*answers, given(4, "present", species="robin")], "wren", "Anna")
    assert found.present == [items[1].score]
    assert found.absent == [items[2].score]
    assert found.is_weighted


def test_items_that_were_not_drawn_at_random_are_not_called_a_sample(tmp_path: Path) -> None:
    items = make_review(tmp_path, purpose=IMPROVE).items
    assert not evidence(items, [given(1, "present")], "wren", "Anna").is_weighted


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    verdicts = np.array(["present", "absent", "unsure"])
    for n in (2, 7, 60):
        first = verdicts[rng.integers(3, size=n)]
        second = np.where(rng.random(n) < 0.7, first, verdicts[rng.integers(3, size=n)])
        assert cohens_kappa(first.tolist(), second.tolist()) == pytest.approx(cohen_kappa_score(first, second))
    assert cohens_kappa(["present"], ["present"]) is None


def test_agreement_names_each_pair_with_shared_clips() -> None:
    answers = [given(1, "present"), given(2, "absent"), given(1, "present", "Bert"), given(2, "other", "Bert"),
               given(9, "present", "Cleo")]  # fmt: skip
    assert agreement_lines(answers) == ["Anna and Bert: 2 of 2 answers agree, Cohen's kappa 1.00"]
    assert agreement_lines([]) == []
