"""Detections from window scores, by hand."""

import numpy as np
import pytest

from dawnchorus.inference.events import find_events

STARTS = np.array([0.0, 1.5, 3.0, 4.5, 6.0, 7.5, 8.2])  # windows of 3 s; the last ends with the recording, at 11.2 s


def events(
    scores: list[list[float]], gap: float = 0.0, thresholds: tuple[float, ...] = (0.5,), shortest: float = 0.0
) -> list[tuple]:
    found = find_events(STARTS, np.array(scores).T, np.array(thresholds), 3.0, gap, 11.2, shortest)
    return [tuple(row) for row in found.itertuples(index=False)]


def test_windows_that_touch_are_one_detection_with_the_highest_score() -> None:
    found = events([[0.6, 0.9, 0.1, 0.5, 0.1, 0.1, 0.1]])
    # 0 to 4.5 s and 4.5 to 7.5 s touch.
    assert found == [(0, 0.0, 7.5, 0.9)]


def test_windows_apart_are_one_detection_only_within_the_gap() -> None:
    scores = [[0.9, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1]]
    assert events(scores) == [(0, 0.0, 3.0, 0.9), (0, 4.5, 7.5, 0.8)]
    assert events(scores, gap=1.4) == [(0, 0.0, 3.0, 0.9), (0, 4.5, 7.5, 0.8)]
    assert events(scores, gap=1.5) == [(0, 0.0, 7.5, 0.9)]


def test_species_have_their_own_thresholds_and_detections() -> None:
    scores = [[0.1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.7], [0.1, 0.4, 0.3, 0.1, 0.1, 0.1, 0.1], [1.0] * 7]
    found = events(scores, thresholds=(0.5, 0.3, np.nan))
    assert found == [(1, 1.5, 6.0, 0.4), (0, 8.2, 11.2, 0.7)]


def test_a_score_at_the_threshold_counts_and_nothing_above_it_gives_no_detection() -> None:
    assert events([[0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]]) == [(0, 3.0, 6.0, 0.5)]
    assert events([[0.49] * 7]) == []


def test_a_detection_ends_with_a_recording_shorter_than_a_window() -> None:
    found = find_events(np.array([0.0]), np.array([[0.9]]), np.array([0.5]), 3.0, 0.0, 1.2)
    assert found.end_s.tolist() == pytest.approx([1.2])


def test_detections_shorter_than_the_minimum_are_left_out() -> None:
    # 0 to 3 s, 3.0 to 7.5 s of the second species, and 6 to 10.5 s.
    scores = [[0.9, 0.1, 0.1, 0.1, 0.8, 0.7, 0.1], [0.1, 0.1, 0.6, 0.7, 0.1, 0.1, 0.1]]
    both = (0.5, 0.5)
    assert events(scores, thresholds=both, shortest=3.0) == events(scores, thresholds=both)
    assert events(scores, thresholds=both, shortest=3.1) == [(1, 3.0, 7.5, 0.7), (0, 6.0, 10.5, 0.8)]
    assert events(scores, thresholds=both, shortest=4.5) == [(1, 3.0, 7.5, 0.7), (0, 6.0, 10.5, 0.8)]
    assert events(scores, thresholds=both, shortest=4.6) == []
