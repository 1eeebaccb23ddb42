"""Background windows lie where nothing calls, and everything unlabelled in a complete recording is absent."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.data.complete import Completeness
from dawnchorus.training.background import find_background
from dawnchorus.training.labels import window_labels
from dawnchorus.training.pseudo_labels import PseudoLabels
from dawnchorus.training.sampling import WindowSampler


def calls(*boxes: tuple[str, float, float]) -> Annotations:
    """Boxes of species 0 in recordings, from a time to another, s."""
    times = np.array([[begin, 1000.0, end, 2000.0] for _, begin, end in boxes]).reshape(-1, 4)
    names = np.array([name for name, _, _ in boxes], str)
    return Annotations(names, times, np.zeros(len(boxes), int), np.ones(len(boxes), bool))


def starts(recording: str, n_frames: int, boxes: Annotations, length: int, second: float) -> list[int]:
    """All frames on which a background window may start, in order."""
    found = find_background([recording], {recording: n_frames}.__getitem__, boxes, length, second)
    assert set(found.recording_ids) <= {recording}
    ranges = [range(first, first + count) for first, count in zip(found.first, found.count, strict=True)]
    return [frame for each in ranges for frame in each]


def test_places_of_a_recording_by_hand() -> None:
    # 20 frames of half a second. Windows of 4 frames start on 0 to 16. A call from 3 to 4 s is in frames 6 and 7.
    assert starts("a", 20, calls(("a", 3, 4), ("b", 0, 9)), 4, 0.5) == [0, 1, 2, *range(8, 17)]
    # Within the 12 frames from 8 to 20, three windows fit beside each other.
    found = find_background(["a"], {"a": 20}.__getitem__, calls(("a", 3, 4)), 4, 0.5)
    assert list(found.first) == [0, 8, 11, 14]
    assert list(found.count) == [3, 3, 3, 3]
    assert list(found.starts(np.array([0, 0, 1, 3]), np.array([0, 0.99, 0.5, 1]))) == [0, 2, 9, 16]


@pytest.mark.parametrize("seed", range(20))
def test_no_window_touches_a_call_and_every_free_start_is_a_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    second, length, n_frames = 1024 / 48_000, int(rng.integers(1, 60)), int(rng.integers(1, 400))
    begins = rng.uniform(0, n_frames * second, rng.integers(0, 4))
    boxes = [("a", begin, begin + rng.uniform(0.01, 2)) for begin in begins]
    free = [
        start
        for start in range(max(0, n_frames - length) + 1)
        if not any(start * second < end and (start + length) * second > begin for _, begin, end in boxes)
    ]
    assert starts("a", n_frames, calls(*boxes), length, second) == free


def test_a_recording_whose_calls_leave_no_free_stretch_gives_no_background() -> None:
    # Both gaps are shorter than the window of 2 s.
    assert starts("a", 12, calls(("a", 1.5, 2.5), ("a", 4, 5)), 4, 0.5) == []
    # A recording that is shorter than the window is padded.
    assert starts("a", 3, calls(), 4, 0.5) == [0]
    assert starts("a", 3, calls(("a", 0.2, 0.3)), 4, 0.5) == []


def test_unlabelled_species_of_a_complete_recording_are_absent() -> None:
    """Species 0 has no label, 1 a call, 2 a call that is mostly outside, 3 an uncertain label, 4 is not complete."""
    boxes = np.array([[1.0, 0, 2.0, 9.0], [4.5, 0, 9.0, 9.0], [1.0, 0, 2.0, 9.0]])
    species, zeros = np.array([1, 2, 3]), np.zeros(3, int)
    target, mask = window_labels(
        boxes, species, np.array([True, True, False]), zeros, np.array([0.0]), 5.0, 5, 0.5, 0.03,
        pseudo_labels=np.full((1, 5), 0.7, np.float32), is_uncertain=np.array([False, False, True]),
        is_complete=np.array([[True, True, True, True, False]]),
    )  # fmt: skip
    np.testing.assert_allclose(target[0], [0, 1, 0, 0, 0.7])
    np.testing.assert_allclose(mask[0], [1, 1, 0, 0, 0.03])


@pytest.fixture
def sampler(tiny: Params, tmp_path: Path) -> WindowSampler:
    """Eight boxes in as many recordings of 94 frames, with the number of the recording and frame as their values."""
    for row in range(12):
        np.save(tmp_path / f"r{row}.npy", np.repeat(100 * row + np.arange(94, dtype=np.int16)[:, None], 32, axis=1))
    boxes = np.tile([1.5, 1000.0, 2.5, 2000.0], (8, 1))
    annotations = Annotations(np.array([f"r{row}" for row in range(8)]), boxes, np.zeros(8, int), np.ones(8, bool))
    params = changed(tiny, {"train": {"batch_size": 4, "mixup_alpha": 0.1, "background_fraction": 0.5}})
    return WindowSampler(annotations, tmp_path, params, 2, ("small_cnn", 0))


def with_background(sampler: WindowSampler, names: list[str], **train: float) -> WindowSampler:
    """The sampler with complete recordings and their background."""
    length, second = sampler.read(np.array([0]), np.array([0])).shape[1], 2048 / 48_000
    frames = dict.fromkeys(names, 94)
    background = find_background(names, frames.__getitem__, sampler.annotations, length, second)
    complete = Completeness.of_table(pd.DataFrame({"recording_id": names, "species": ""}), ["x", "y"])
    params = changed(sampler.params, {"train": train})
    return replace(sampler, params=params, complete=complete, background=background)


def test_an_epoch_draws_background_up_to_a_fraction_of_the_windows_around_boxes(sampler: WindowSampler) -> None:
    names = ["r8", "r9", "r10", "r11"]  # each has room for two windows of 47 of its 94 frames
    for fraction, n_drawn in ((0.5, 4), (0.25, 2), (0.0, 0), (9.0, 8)):
        some = with_background(sampler, names, background_fraction=fraction)
        assert some.steps_per_epoch == (8 + n_drawn + 3) // 4
        drawn = [some.draws(epoch).order for epoch in range(6)]
        assert {len(order) for order in drawn} == {8 + n_drawn}
        assert all(set(range(8)) <= set(order) for order in drawn)
        if 0 < n_drawn < 8:
            assert len({frozenset(order) for order in drawn}) > 1


def test_background_windows_are_absent_for_all_species_and_move(sampler: WindowSampler) -> None:
    # The call of r1 is in frames 35 to 58 of 94, which leaves no room for a window of 47 frames on either side.
    some = with_background(sampler, ["r1", "r9"])
    frames = []
    for epoch in range(20):
        draws = some.draws(epoch)
        rows = draws.order[draws.order >= 8]
        begins, labels = some.starts_and_labels(rows, draws)
        np.testing.assert_array_equal(labels[:, 0], np.zeros((len(rows), 2)))
        np.testing.assert_array_equal(labels[:, 1], np.ones((len(rows), 2)))
        for window in some.read(rows, begins):
            recording, frame = divmod(int(window[0, 0]), 100)
            assert recording == 9
            frames.append(frame)
    assert min(frames) < 5
    assert max(frames) > 42
    assert len(set(frames)) > 15


def test_the_window_around_a_call_in_a_complete_recording_knows_all_species(sampler: WindowSampler) -> None:
    some = with_background(sampler, ["r1"])
    _, labels = some.starts_and_labels(np.array([0, 1]), some.draws(0))
    np.testing.assert_allclose(labels[:, 0], np.array([[1, 0], [1, 0]]))
    weight = some.params.labels.weak_negative_weight
    np.testing.assert_allclose(labels[:, 1], np.array([[1, weight], [1, 1]]))


def test_absence_in_a_complete_recording_comes_before_pseudo_labels(sampler: WindowSampler) -> None:
    scores = PseudoLabels(np.full((24, 2), 0.6, np.float16), {f"r{row}": (2 * row, 47) for row in range(12)}, 47, 0.25)
    some = replace(with_background(sampler, ["r1", "r9"]), pseudo_labels=scores)
    rows = np.array([0, 1, 8])
    _, labels = some.starts_and_labels(rows, some.draws(0))
    np.testing.assert_allclose(labels[:, 0], np.array([[1, 0.6], [1, 0], [0, 0]]), atol=1e-3)
    np.testing.assert_allclose(labels[:, 1], np.array([[1, 0.25], [1, 1], [1, 1]]))


def test_where_nothing_is_complete_the_batches_are_those_without_the_feature(sampler: WindowSampler) -> None:
    nothing = with_background(sampler, [])
    assert nothing.steps_per_epoch == sampler.steps_per_epoch
    for (inputs, labels), (expected, known) in zip(islice(nothing.batches(), 4), sampler.batches(), strict=False):
        np.testing.assert_array_equal(labels, known)
        for name, value in expected.items():
            np.testing.assert_array_equal(inputs[name], value)
