"""Intervals of the average precision of each species, and of their mean."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from dawnchorus.evaluation.bootstrap import draw_recordings
from dawnchorus.evaluation.species_intervals import average_precision_intervals, macro_interval


def wilson_of(share: float, trials: int) -> tuple[float, float]:
    """The ends of Wilson's interval: where the share is 1.96 standard errors of that end away."""
    z = 1.959964
    centre, half = share + z**2 / trials / 2, z * np.sqrt(share * (1 - share) / trials + (z / trials / 2) ** 2)
    return (centre - half) / (1 + z**2 / trials), (centre + half) / (1 + z**2 / trials)


def test_they_are_the_percentiles_of_scikit_learns_average_precision_on_the_same_draws_or_wilsons() -> None:
    rng = np.random.default_rng(0)
    truth, mask = rng.random((60, 2)) < 0.3, rng.random((60, 2)) < 0.9
    # With few different scores, there are ties.
    scores = np.round(truth * 0.3 + rng.random((60, 2)), 1)
    low, high = average_precision_intervals(truth, scores, mask, 200, np.random.default_rng(1))
    (drawn,) = draw_recordings(60, 200, 200, np.random.default_rng(1))
    for species in range(2):
        known = mask[:, species]
        values = [
            average_precision_score(truth[known, species], scores[known, species], sample_weight=weights[known])
            for weights in drawn
        ]
        expected = np.percentile(values, [2.5, 97.5])
        average = average_precision_score(truth[known, species], scores[known, species])
        wilson = wilson_of(average, (truth & mask)[:, species].sum())
        assert low[species] == pytest.approx(min(expected[0], wilson[0]))
        assert high[species] == pytest.approx(max(expected[1], wilson[1]))


def test_a_perfect_ranking_of_few_recordings_does_not_exclude_a_worse_one() -> None:
    truth = np.array([[True]] * 5 + [[False]] * 5)
    low, high = average_precision_intervals(truth, truth * 0.5, truth | True, 100, np.random.default_rng(1))
    # Wilson's interval of 5 of 5: z^2 / (n + z^2) is excluded.
    assert abs(low[0] - 5 / (5 + 1.959964**2)) < 1e-6
    assert high[0] == 1
    # Five recordings of one group say as much as one.
    groups = np.array([0] * 5 + [1, 2, 3, 4, 5])
    low, _ = average_precision_intervals(truth, truth * 0.5, truth | True, 100, np.random.default_rng(1), groups)
    assert abs(low[0] - 1 / (1 + 1.959964**2)) < 1e-6


def test_a_species_that_is_nowhere_or_everywhere_has_none() -> None:
    truth = np.array([[True, False], [True, False], [True, False]])
    low, high = average_precision_intervals(truth, truth * 0.5, truth | True, 100, np.random.default_rng(1))
    assert np.isnan([*low, *high]).all()


def test_the_interval_of_the_mean_is_that_of_scikit_learns_on_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    truth, mask = rng.random((40, 3)) < [0.3, 0.05, 0.0], rng.random((40, 3)) < 0.9
    scores = truth * 0.3 + rng.random((40, 3))
    (drawn,) = draw_recordings(40, 200, 200, np.random.default_rng(1))
    means = []
    for weights in drawn:
        # The rare species is in some draws only, the last one in none.
        labelled = [mask[:, species] & (weights > 0) for species in range(3)]
        values = [
            average_precision_score(truth[known, species], scores[known, species], sample_weight=weights[known])
            for species, known in enumerate(labelled)
            if truth[known, species].any()
        ]
        means.append(np.mean(values))
    assert len({len(set(truth[mask[:, 1] & (weights > 0), 1])) for weights in drawn}) == 2
    expected = np.percentile(means, [2.5, 97.5])
    assert macro_interval(truth, scores, mask, 200, np.random.default_rng(1)) == pytest.approx(tuple(expected))


def test_without_any_species_with_both_labels_the_mean_has_no_interval() -> None:
    truth = np.ones((3, 2), bool)
    assert np.isnan(macro_interval(truth, truth * 0.5, truth, 10, np.random.default_rng(1))).all()
