"""Which windows are asked about."""

import numpy as np
import pytest

from dawnchorus.inference.strata import log_strata
from dawnchorus.review.choosing import choose_best, choose_diverse, draw_sample, rank_uncertain


def test_strata_halve_from_the_lowest_scores_to_the_highest() -> None:
    scores = np.random.default_rng(0).random(1024)
    strata = log_strata(scores, 5, np.random.default_rng(1))
    assert np.bincount(strata).tolist() == [0, 512, 256, 128, 64, 64]
    for stratum in range(1, 5):
        assert scores[strata == stratum].max() < scores[strata == stratum + 1].min()


def test_equal_scores_are_divided_at_random() -> None:
    strata = log_strata(np.zeros(1000), 3, np.random.default_rng(1))
    assert np.bincount(strata).tolist() == [0, 500, 250, 250]
    # Not in the order of recordings.
    assert 150 < (strata[:500] == 1).sum() < 350


@pytest.mark.parametrize(("n_windows", "n_items"), [(1000, 30), (1000, 100), (10, 30), (100, 99), (3, 1), (5000, 7)])
def test_a_sample_has_as_many_windows_as_asked_for_and_knows_how_likely_each_was(n_windows: int, n_items: int) -> None:
    scores = np.random.default_rng(0).random(n_windows)
    sample = draw_sample(scores, n_items, np.random.default_rng(1))
    assert len(sample.rows) == len(set(sample.rows)) == min(n_items, n_windows)
    drawn, sizes = np.bincount(sample.strata[sample.rows]), np.bincount(sample.strata)
    expected = drawn[sample.strata[sample.rows]] / sizes[sample.strata[sample.rows]]
    np.testing.assert_allclose(sample.inclusion, expected)
    # Every stratum is sampled, so the weights add up to the number of windows.
    np.testing.assert_allclose((1 / sample.inclusion).sum(), n_windows)


def test_inclusion_probabilities_are_those_of_many_draws() -> None:
    scores = np.random.default_rng(0).random(40)
    counts, said = np.zeros(40), np.zeros(40)
    for seed in range(2000):
        sample = draw_sample(scores, 12, np.random.default_rng(seed))
        counts[sample.rows] += 1
        said[sample.rows] = sample.inclusion
    np.testing.assert_allclose(counts / 2000, said, atol=0.05)


def test_the_highest_scores_are_sampled_most_densely() -> None:
    scores = np.random.default_rng(0).random(2000)
    sample = draw_sample(scores, 60, np.random.default_rng(1))
    best = scores[sample.rows] >= np.quantile(scores, 0.99)
    assert best.sum() >= 6
    assert (scores[sample.rows] < np.median(scores)).sum() >= 3


def test_uncertain_windows_and_those_of_split_members_come_first() -> None:
    probabilities = np.array([0.01, 0.5, 0.5, 0.99])
    assert np.argmax(rank_uncertain(probabilities, np.array([0.1, 0.1, 2.0, 0.1]))) == 2
    assert rank_uncertain(probabilities, np.array([0.1, 0.1, 2.0, 0.1]))[1] > rank_uncertain(
        probabilities, np.array([0.1, 0.1, 2.0, 0.1])
    )[0]  # fmt: skip
    # A single member says nothing of disagreement.
    ranks = rank_uncertain(probabilities, np.zeros(4))
    assert ranks[1] == ranks[2] == 1


def test_chosen_windows_are_from_many_recordings_and_sites() -> None:
    priority = np.arange(100, 0, -1.0)
    recordings = np.repeat(np.arange(10), 10)
    sites = ["a"] * 90 + ["b"] * 10
    chosen = choose_diverse([priority], recordings, sites, 10)
    assert sorted(recordings[chosen]) == list(range(10))
    # The best of each recording.
    assert sorted(chosen % 10) == [0] * 10
    assert sites[chosen[1]] == "b"


def test_priorities_choose_in_turns_and_never_the_same_window_or_recording() -> None:
    first, second = np.array([9.0, 8, 7, 1, 2, 3]), np.array([9.0, 1, 2, 8, 7, 3])
    chosen = choose_diverse([first, second], np.array([0, 0, 1, 0, 2, 3]), [""] * 6, 4)
    # The second priority would choose 0, which is taken, then 3, whose recording is.
    assert chosen.tolist() == [0, 4, 2, 5]
    assert sorted(choose_diverse([first, second], np.zeros(6, int), [""] * 6, 10).tolist()) == [0, 1, 2, 3, 4, 5]


def test_the_best_of_each_site_and_day_come_first() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    places = [("a", "1"), ("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")]
    assert choose_best(scores, places, 4).tolist() == [0, 2, 3, 1]
    assert choose_best(np.array([]), [], 4).tolist() == []
