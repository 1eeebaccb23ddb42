"""Which species' calls raise the scores of others."""

import numpy as np
import pandas as pd

from dawnchorus.data.ground_truth import GroundTruth
from dawnchorus.inference.window_tables import Windows
from dawnchorus.reporting.report.confusion import confusion_in_boxes, confusion_in_recordings, confusion_of

STARTS = np.arange(0.0, 30.0, 3.0)


def recordings_of(scores: np.ndarray) -> Windows:
    """Windows of recordings of 30 s, from scores of shape [Recordings, Windows, Species]."""
    names = [f"r{number}" for number in range(len(scores))]
    return Windows.of(names, [STARTS] * len(scores), list(scores), scores.shape[2])


def test_shares_are_those_worked_by_hand() -> None:
    # Two calls of the second species score 0.8 and 0.4. A call of the first scores 0.6 for it: higher than one of two.
    scores = np.array([[0.9, 0.6], [0.1, 0.8], [0.1, 0.4], [0.1, 0.2], [0.1, 0.4]])
    has_call = np.array([[True, False], [False, True], [False, True], [False, False], [False, False]])
    found = confusion_of(scores, has_call, ~has_call, (np.array([0, 1, 2]), np.array([0, 1, 1])), np.arange(5))
    assert found.share[0, 1] == 0.5
    # Elsewhere: 0.6 is higher than one of two, 0.2 than none, and 0.4 equals one, which counts half.
    assert found.elsewhere[1] == (0.5 + 0 + 0.25) / 3
    assert found.calls[0, 1] == 1
    assert found.share[1, 0] == 0
    assert np.isnan(found.share[[0, 1], [0, 1]]).all()


def test_a_species_that_sounds_like_another_stands_out_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0, 0.4, (40, 10, 3)).astype(np.float32)
    # In each recording the first species calls in the window at 3 s and the second at 12 s; the model hears the third
    # in calls of the first. The third calls everywhere, mostly unlabelled.
    scores[:, 1, 0] = scores[:, 4, 1] = 0.9
    scores[:20, 7, 2] = 0.5
    scores[20:, 1, 2] += 0.4
    calls = [(f"r{number}", 0, 3.5, 5.0) for number in range(20, 40)]
    calls += [(f"r{number}", 1, 12.5, 14.0) for number in range(20, 40)]
    calls += [(f"r{number}", 2, 21.5, 23.0) for number in range(20)]
    boxes = pd.DataFrame(calls, columns=["recording_id", "species_id", "t_min", "t_max"])
    found = confusion_in_boxes(recordings_of(scores), boxes, 3.0, 3)
    assert found.strongest() == [(0, 2)]
    assert found.calls[0, 2] == 20
    assert found.share[0, 2] > 0.5
    assert found.elsewhere[2] < 0.1


def test_chance_does_not_stand_out() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0, 1, (40, 10, 8)).astype(np.float32)
    calls = [(f"r{number}", species, 3.5, 5.0) for species in range(8) for number in rng.choice(40, 12, replace=False)]
    boxes = pd.DataFrame(calls, columns=["recording_id", "species_id", "t_min", "t_max"])
    assert confusion_in_boxes(recordings_of(scores), boxes, 3.0, 8).strongest() == []


def test_a_window_with_a_labelled_call_of_the_other_shows_no_confusion() -> None:
    scores = np.zeros((2, 10, 2), np.float32)
    scores[:, 1] = 0.9
    both = pd.DataFrame(
        {"recording_id": ["r0", "r0", "r1"], "species_id": [0, 1, 1], "t_min": 3.5, "t_max": [5.0, 3.8, 5.0]}
    )
    found = confusion_in_boxes(recordings_of(scores), both, 3.0, 2)
    assert found.calls[0, 1] == 0
    assert np.isnan(found.share[0, 1])
    assert found.strongest() == []


def test_unknown_species_of_a_test_recording_show_nothing() -> None:
    names = [f"x{number}" for number in range(4)]
    truth = np.array([[True, False], [True, False], [False, True], [False, False]])
    mask = np.array([[True, False], [True, True], [True, True], [True, True]])
    scores = pd.DataFrame([[0.9, 0.7], [0.9, 0.5], [0.1, 0.6], [0.1, 0.1]], names)
    found = confusion_in_recordings(GroundTruth(names, truth, mask), scores)
    # In x0 it is unknown whether the second calls. x1 scores lower for it than x2, where it does.
    assert found.calls[0, 1] == 1
    assert found.share[0, 1] == 0
    assert found.elsewhere[1] == 0


def test_species_without_calls_are_unknown() -> None:
    windows = recordings_of(np.full((2, 10, 2), 0.5, np.float32))
    none = pd.DataFrame(columns=["recording_id", "species_id", "t_min", "t_max"])
    found = confusion_in_boxes(windows, none.astype({"species_id": int, "t_min": float, "t_max": float}), 3.0, 2)
    assert np.isnan(found.share).all()
    assert found.strongest() == []
