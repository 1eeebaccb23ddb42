"""Placement of windows and their labels, against examples by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawnchorus.features.store import FeatureStore
from dawnchorus.inference.windows import tile
from dawnchorus.training.labels import window_labels
from dawnchorus.training.window_starts import sample_starts


@given(st.integers(1, 2000), st.integers(1, 300), st.data())
def test_windows_cover_every_frame_and_end_with_the_recording(n_frames: int, length: int, data: st.DataObject) -> None:
    starts = tile(n_frames, length, data.draw(st.integers(1, length)))
    seen = np.zeros(n_frames, bool)
    for start in starts:
        seen[start : start + length] = True
    assert seen.all()
    assert starts[0] == 0
    assert starts[-1] == max(0, n_frames - length)
    assert len(set(starts)) == len(starts)


@given(
    t_min=st.floats(0, 59.9),
    duration=st.floats(0.05, 20),
    seconds=st.floats(1, 10),
    begin_within=st.floats(0, 1),
    min_overlap=st.floats(0.01, 1),
    draw=st.floats(0, 1),
)
def test_a_sampled_window_contains_enough_of_its_box(
    t_min: float, duration: float, seconds: float, begin_within: float, min_overlap: float, draw: float
) -> None:
    recording = 60.0
    duration = min(duration, recording - t_min)
    begin = np.array([t_min])
    (start,) = sample_starts(
        begin, begin + duration, seconds, np.array([recording]), begin_within, min_overlap, np.array([draw])
    )
    assert 0 <= start <= recording - seconds
    inside = min(t_min + duration, start + seconds) - max(t_min, start)
    assert inside >= min_overlap * min(duration, seconds) - 1e-6
    if 0 < start < recording - seconds:
        assert t_min - start <= begin_within * seconds + 1e-6


def test_windows_of_a_long_box_are_anywhere_in_it() -> None:
    """A chorus from 20 to 50 s, of which each epoch shows another window of 3 s."""
    draws = np.random.default_rng(0).random(1000)
    begin, end, recording = (np.full(1000, value) for value in (20.0, 50.0, 60.0))
    starts = sample_starts(begin, end, 3.0, recording, 0.5, 0.5, draws)
    # From half of a window before it to the last window in it.
    assert starts.min() == pytest.approx(18.5, abs=0.1)
    assert starts.max() == pytest.approx(47.0, abs=0.1)
    np.testing.assert_allclose(np.histogram(starts, 10)[0], 100, atol=35)
    # Of all of a recording, every part.
    whole = sample_starts(0 * begin, recording, 3.0, recording, 0.5, 0.5, draws)
    assert whole.min() == 0
    assert whole.max() == pytest.approx(57.0, abs=0.1)


def test_a_short_recording_is_padded_with_its_lowest_level(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, -4]], np.int16))
    spectrograms = FeatureStore(tmp_path)
    assert spectrograms.frames("a") == 2
    for start, expected in [(0, [[1, 2], [3, -4], [-4, -4]]), (1, [[3, -4], [-4, -4], [-4, -4]])]:
        window = np.full((3, 2), 9, np.int16)
        spectrograms.read("a", start, window)
        assert window.tolist() == expected


@pytest.mark.parametrize(
    ("box", "is_tp", "target", "known"),
    [
        ((11.0, 13.0), True, 1, 1),  # the whole box is in the window, 10 to 15 s
        ((9.0, 11.0), True, 1, 1),  # exactly half of the box
        ((8.9, 10.9), True, 0, 0),  # slightly less than half: masked
        ((14.9, 17.0), True, 0, 0),
        ((2.0, 9.0), True, 0, 0.3),  # outside: no annotation
        ((15.0, 16.0), True, 0, 0.3),  # starts where the window ends
        ((11.0, 13.0), False, 0, 1),
        ((8.9, 10.9), False, 0, 0.3),
        ((0.0, 30.0), True, 1, 1),  # longer than the window and covers all of it
        ((12.4, 30.0), True, 1, 1),  # covers half of the window
        ((12.6, 30.0), True, 0, 0),
    ],
)
def test_labels_of_one_box(box: tuple[float, float], is_tp: bool, target: int, known: float) -> None:
    targets, mask = window_labels(
        np.array([[box[0], 1000, box[1], 2000]]), np.array([1]), np.array([is_tp]), np.array([0]),
        starts=np.array([10.0]), seconds=5.0, n_species=3, min_overlap=0.5, weak_negative_weight=0.3,
    )  # fmt: skip
    np.testing.assert_allclose(targets, [[0, target, 0]])
    np.testing.assert_allclose(mask, [[0.3, known, 0.3]])


def test_boxes_take_precedence_over_pseudo_labels() -> None:
    """The species have a TP box, an FP box, a TP box with too little overlap, and no box."""
    boxes = np.array([[11.0, 1000, 12, 2000], [11.0, 1000, 12, 2000], [14.9, 1000, 17, 2000]])
    said = np.array([[0.2, 0.9, 0.8, 0.7]], np.float32)
    targets, known = window_labels(
        boxes, np.array([0, 1, 2]), np.array([True, False, True]), np.array([0, 0, 0]), np.array([10.0]), 5.0, 4, 0.5,
        0.3, pseudo_labels=said,
    )  # fmt: skip
    np.testing.assert_allclose(targets, [[1, 0, 0, 0.7]])
    np.testing.assert_allclose(known, [[1, 1, 0, 0.3]])
    np.testing.assert_allclose(said, [[0.2, 0.9, 0.8, 0.7]])


def test_an_uncertain_box_masks_its_species_unless_another_box_decides() -> None:
    """Of the species, one has an uncertain box in the window, one has one outside, one also a TP and one an FP box."""
    boxes = np.array([(14.9, 1000, 20, 2000), (15, 1000, 20, 2000), *[(11.0, 1000, 12, 2000)] * 4])
    targets, mask = window_labels(
        boxes, np.array([0, 1, 2, 2, 3, 3]), np.array([False, False, False, True, False, False]), np.zeros(6, int),
        np.array([10.0]), 5.0, 5, 0.5, 0.3, pseudo_labels=np.full((1, 5), 0.9, np.float32),
        is_uncertain=np.array([True, True, True, False, True, False]),
    )  # fmt: skip
    np.testing.assert_allclose(targets, [[0, 0.9, 1, 0, 0.9]])
    np.testing.assert_allclose(mask, [[0, 0.3, 1, 1, 0.3]])


def test_a_tp_box_takes_precedence_over_an_fp_box() -> None:
    def labels(tp_box: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        boxes = np.array([(11.0, 1000, 12.0, 2000), (tp_box[0], 1000, tp_box[1], 2000)])
        both = np.array([0, 0])
        return window_labels(boxes, both, np.array([False, True]), both, np.array([10.0]), 5.0, 1, 0.5, 0.0)

    assert labels((13.0, 14.0)) == (np.array([1]), np.array([1]))
    assert labels((14.9, 16.9)) == (np.array([0]), np.array([0]))


@pytest.mark.parametrize(
    ("box", "target"),
    [
        ((9.0, 10.001), 1),  # as in the notebook
        ((14.999, 20.0), 1),
        ((9.0, 10.0), 0),
        ((15.0, 16.0), 0),
    ],
)
def test_any_overlap_counts_with_a_min_overlap_of_0(box: tuple[float, float], target: int) -> None:
    boxes = np.array([[box[0], 1000, box[1], 2000]])
    targets, known = window_labels(
        boxes, np.array([0]), np.array([True]), np.array([0]), np.array([10.0]), 5.0, 1, 0.0, 1.0
    )
    assert (targets[0, 0], known[0, 0]) == (target, 1)


def test_each_window_has_the_labels_of_its_own_boxes() -> None:
    boxes = np.array([[1.0, 100, 2, 200], [11.0, 100, 12, 200], [1.0, 100, 2, 200], [11.0, 100, 12, 200]])
    targets, known = window_labels(
        boxes, np.array([0, 1, 0, 1]), np.array([True, True, True, False]), np.array([0, 0, 1, 1]),
        np.array([0.0, 10.0]), 5.0, 2, 0.5, 0.3,
    )  # fmt: skip
    np.testing.assert_allclose(targets, [[1, 0], [0, 0]])
    np.testing.assert_allclose(known, [[1, 0.3], [0.3, 1]])


@pytest.mark.parametrize(
    ("low", "high", "target", "known"),
    [
        (1000, 2000, 1, 1),
        (100, 501, 1, 1),  # starts below the band and ends in it
        (100, 500, 0, 0),  # ends where the band starts: the window cannot show it
        (8000, 9000, 0, 0),
    ],
)
def test_labels_by_band(low: float, high: float, target: int, known: int) -> None:
    """The notebook reads the song type as the lower frequency and f_min as the upper frequency."""
    boxes = np.array([[11.0, low, 12.0, high]])
    targets, mask = window_labels(
        boxes, np.array([0]), np.array([True]), np.array([0]), np.array([10.0]), 5.0, 1, 0.5, 1.0, band=(500, 8000)
    )
    assert (targets[0, 0], mask[0, 0]) == (target, known)
