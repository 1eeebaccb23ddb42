"""Sampling of training windows: each row once per epoch at a new position, with labels mixed like the images."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.training.mixing import mix_labels, union
from dawnchorus.training.sampling import WindowSampler

N_ROWS = 11


@pytest.fixture
def sampler(tiny: Params, tmp_path: Path) -> WindowSampler:
    """A sampler whose rows each have their own species and recording; all values of a recording are the row number."""
    for row in range(N_ROWS):
        np.save(tmp_path / f"r{row}.npy", np.full((94, 32), row, np.int16))
    annotations = Annotations(
        np.array([f"r{row}" for row in range(N_ROWS)]),
        np.tile([1.5, 1000.0, 2.5, 2000.0], (N_ROWS, 1)),
        np.arange(N_ROWS),
        np.arange(N_ROWS) % 3 > 0,
    )
    params = changed(tiny, {"train": {"batch_size": 4, "mixup_alpha": 0.0}})
    return WindowSampler(annotations, tmp_path, params, N_ROWS, ("small_cnn", 0))


def window(sampler: WindowSampler, row: int, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The window of one row in one epoch, its target and its mask."""
    starts, labels = sampler.starts_and_labels(np.array([row]), sampler.draws(epoch))
    windows = sampler.read(np.array([row]), starts)
    return windows[0], labels[0, 0], labels[0, 1]


def rows_of(batches: list[tuple[dict, np.ndarray]]) -> list[int]:
    return [int(window[0, 0]) for inputs, _ in batches for window in inputs["windows"]]


def test_each_epoch_uses_every_row_once_in_a_new_order(sampler: WindowSampler) -> None:
    assert sampler.steps_per_epoch == 3
    first, second = list(islice(sampler.batches(), 3)), list(islice(sampler.batches(), 3, 6))
    assert sorted(rows_of(first)) == sorted(rows_of(second)) == list(range(N_ROWS))
    assert rows_of(first) != rows_of(second)
    assert [len(labels) for _, labels in first] == [4, 4, 3]


def test_targets_and_masks_of_tp_and_fp_boxes(sampler: WindowSampler) -> None:
    for inputs, labels in islice(sampler.batches(), 3):
        for row, (target, known) in zip(rows_of([(inputs, labels)]), labels, strict=True):
            np.testing.assert_allclose(target, (np.arange(N_ROWS) == row) * float(row % 3 > 0))
            weight = sampler.params.labels.weak_negative_weight
            np.testing.assert_allclose(known, np.where(np.arange(N_ROWS) == row, 1, weight))


def test_an_uncertain_box_masks_its_species_and_draws_no_window(sampler: WindowSampler) -> None:
    uncertain = Annotations(
        np.array(["r4", "elsewhere"]), np.array([[0, 0, 4, 9000.0]] * 2), np.array([7, 7]), np.zeros(2, bool)
    )
    other = replace(sampler, uncertain=uncertain)
    assert other.steps_per_epoch == sampler.steps_per_epoch
    for (inputs, labels), (_, expected) in zip(islice(other.batches(), 3), sampler.batches(), strict=False):
        is_masked = np.outer(np.array(rows_of([(inputs, labels)])) == 4, np.arange(N_ROWS) == 7)
        np.testing.assert_array_equal(labels[:, 0], expected[:, 0])
        np.testing.assert_array_equal(labels[:, 1], np.where(is_masked, 0, expected[:, 1]))


def test_windows_move_from_epoch_to_epoch(sampler: WindowSampler, tmp_path: Path) -> None:
    np.save(tmp_path / "r0.npy", np.repeat(np.arange(94, dtype=np.int16)[:, None], 32, axis=1))
    starts = {float(window(sampler, 0, epoch)[0][0, 0]) for epoch in range(20)}
    assert len(starts) > 10
    # The box starts at frame 35, within the first three quarters of the 47 frames of a window.
    assert min(starts) >= 0
    assert max(starts) <= 36


def test_mixed_labels_give_the_weighted_loss_of_both_windows(sampler: WindowSampler) -> None:
    rng = np.random.default_rng(0)
    target = (rng.random((4, N_ROWS)) < 0.3).astype(np.float32)
    known = rng.choice([0, 0.3, 1], (4, N_ROWS)).astype(np.float32)
    partner, weight = np.array([2, 0, 3, 1], np.int32), np.array([1, 0.2, 0.5, 0.9], np.float32)
    mixed = mix_labels(np.stack([target, known], axis=1), partner, weight)
    scores = rng.uniform(0.05, 0.95, (4, N_ROWS))

    def loss(target: np.ndarray, known: np.ndarray) -> np.ndarray:
        return -known * (target * np.log(scores) + (1 - target) * np.log(1 - scores))

    own = weight[:, None]
    expected = own * loss(target, known) + (1 - own) * loss(target[partner], known[partner])
    np.testing.assert_allclose(loss(mixed[:, 0], mixed[:, 1]), expected, atol=1e-6)


def test_mixup_weights_are_between_0_and_1(sampler: WindowSampler) -> None:
    params = changed(sampler.params, {"train": {"mixup_alpha": 0.5}})
    inputs, _ = next(WindowSampler(sampler.annotations, sampler.folder, params, N_ROWS, sampler.job).batches())
    assert ((inputs["weight"] > 0) & (inputs["weight"] < 1)).any()
    assert sorted(inputs["partner"]) == [0, 1, 2, 3]


# Target and mask of a species in one part: present, absent, too little left of its TP box, no annotation, and
# pseudo-labels of 0.4 and 0.1.
PRESENT, ABSENT, UNKNOWN, UNHEARD, WEAK, WEAKER = (1, 1), (0, 1), (0, 0), (0, 0.3), (0.4, 0.3), (0.1, 0.3)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (PRESENT, PRESENT, (1, 1)),
        (PRESENT, ABSENT, (1, 1)),
        (PRESENT, UNKNOWN, (1, 1)),
        (PRESENT, UNHEARD, (1, 1)),
        (PRESENT, WEAK, (1, 1)),
        ((1, 0.6), ABSENT, (1, 0.6)),  # presence with a lower weight
        (ABSENT, ABSENT, (0, 1)),
        (ABSENT, UNKNOWN, (0, 0)),
        (ABSENT, UNHEARD, (0, 0.3)),
        # Presence has weight 0.3 x 0.4, absence 0.3 x 0.6: the label of the pseudo-labelled part.
        (ABSENT, WEAK, (0.4, 0.3)),
        (UNKNOWN, UNKNOWN, (0, 0)),
        (UNKNOWN, UNHEARD, (0, 0)),
        # The species may call in the part with mask 0, so only the 0.3 x 0.4 of presence remains.
        (UNKNOWN, WEAK, (1, 0.12)),
        (UNKNOWN, WEAKER, (1, 0.03)),
        (UNHEARD, UNHEARD, (0, 0.3)),
        # Presence has weight 0.3 x 0.4, absence 0.3 x min(1, 0.6).
        (UNHEARD, WEAK, (0.4, 0.3)),
        (WEAK, WEAK, (0.4, 0.3)),
        (WEAK, WEAKER, (0.4, 0.3)),
    ],
)
def test_labels_of_a_window_with_two_parts(
    one: tuple[float, float], other: tuple[float, float], expected: tuple[float, float]
) -> None:
    parts = np.array([one, other], np.float32)[:, :, None]
    for window in union(parts, parts[::-1]):
        np.testing.assert_allclose(window[:, 0], expected, atol=1e-6)


def test_cutmix_joins_two_windows_and_the_labels_of_their_remaining_frames(
    sampler: WindowSampler, tmp_path: Path
) -> None:
    for row in range(N_ROWS):  # each value encodes the recording and the frame
        np.save(tmp_path / f"r{row}.npy", np.repeat(94 * row + np.arange(94, dtype=np.int16)[:, None], 32, axis=1))
    params = changed(sampler.params, {"train": {"cutmix_probability": 0.5}})
    cut = WindowSampler(sampler.annotations, tmp_path, params, N_ROWS, sampler.job)
    weight, second = params.labels.weak_negative_weight, 2048 / 48_000
    n_cut, found = 0, set()
    for inputs, labels in islice(cut.batches(), 60):  # 20 epochs
        for window, (target, known) in zip(inputs["windows"][:, :, 0].astype(int), labels, strict=True):
            row, frame = window // 94, window % 94
            changes = np.flatnonzero(np.diff(window) != 1)
            assert len(changes) <= 1  # one or two recordings
            n_cut += len(changes)
            for species in range(N_ROWS):
                shown = frame[row == species]
                inside = min(2.5, (shown.max() + 1) * second) - max(1.5, shown.min() * second) if len(shown) else 0
                enough = inside >= 0.5 - second  # half of the box, with a tolerance of one frame
                if species % 3 > 0:
                    expected = (1, 1) if enough else (0, 0) if inside > 0 else (0, weight)
                else:  # the other part has no annotation of it
                    expected = (0, 1 if enough and not len(changes) else weight)
                assert (target[species], known[species]) == pytest.approx(expected)
                found.add((*expected, len(changes)))
    assert 0.4 < n_cut / (20 * N_ROWS) < 0.6
    assert found >= {(1, 1, 1), (0, 0, 1), (0, weight, 1), (1, 1, 0), (0, 1, 0)}


@pytest.mark.parametrize("min_overlap", [0.0, 0.5, 1.0])
def test_a_window_always_contains_the_box_that_it_was_placed_around(sampler: WindowSampler, min_overlap: float) -> None:
    params = changed(sampler.params, {"labels": {"min_overlap": min_overlap}})
    low, high = np.full(N_ROWS, 1000.0), np.full(N_ROWS, 2000.0)
    boxes = np.column_stack([np.linspace(0, 2, N_ROWS), low, np.linspace(0.3, 4, N_ROWS), high])
    annotations = Annotations(sampler.annotations.recording_ids, boxes, np.arange(N_ROWS), np.ones(N_ROWS, bool))
    placed = WindowSampler(annotations, sampler.folder, params, N_ROWS, sampler.job)
    for epoch in range(50):
        for row in range(N_ROWS):
            _, target, known = window(placed, row, epoch)
            assert (target[row], known[row]) == (1, 1)


def test_each_model_has_its_own_random_draws(sampler: WindowSampler) -> None:
    other = WindowSampler(sampler.annotations, sampler.folder, sampler.params, N_ROWS, ("small_cnn", 1))
    assert rows_of(list(islice(sampler.batches(), 3))) != rows_of(list(islice(other.batches(), 3)))


def test_each_epoch_draws_every_tp_box_and_a_new_fraction_of_the_fp_boxes(sampler: WindowSampler) -> None:
    is_tp = np.arange(N_ROWS) % 3 > 0  # 7 TP boxes, 4 FP boxes
    params = changed(sampler.params, {"train": {"fp_fraction": 0.5}})
    half = WindowSampler(sampler.annotations, sampler.folder, params, N_ROWS, sampler.job)
    assert half.steps_per_epoch == 3
    drawn = [set(rows_of(list(islice(half.batches(), 3 * epoch, 3 * epoch + 3)))) for epoch in range(6)]
    for rows in drawn:
        assert set(np.flatnonzero(is_tp)) <= rows
        assert len(rows) == 9
    assert len({frozenset(rows) for rows in drawn}) > 1
    params = changed(sampler.params, {"train": {"fp_fraction": 0.0}})
    none = WindowSampler(sampler.annotations, sampler.folder, params, N_ROWS, sampler.job)
    assert none.steps_per_epoch == 2
    assert sorted(rows_of(list(islice(none.batches(), 2)))) == list(np.flatnonzero(is_tp))


def test_every_row_of_a_recording_is_drawn(sampler: WindowSampler, tmp_path: Path) -> None:
    """The notebook draws a recording once per row, but each time with a random row."""
    boxes = sampler.annotations.boxes.copy()
    boxes[:, 0] = np.linspace(0, 2, N_ROWS)
    boxes[:, 2] = boxes[:, 0] + 0.5
    same = Annotations(np.full(N_ROWS, "r0"), boxes, np.arange(N_ROWS), np.ones(N_ROWS, bool))
    params = changed(sampler.params, {"train": {"batch_size": 2, "begin_within": 0.0}})
    all_of_one = WindowSampler(same, tmp_path, params, N_ROWS, sampler.job)
    # Each window starts with its box, and each box starts at a different frame.
    np.save(tmp_path / "r0.npy", np.repeat(np.arange(94, dtype=np.int16)[:, None], 32, axis=1))
    batches = list(islice(all_of_one.batches(), all_of_one.steps_per_epoch))
    first = [float(window[0, 0]) for inputs, _ in batches for window in inputs["windows"]]
    assert sorted(first) == [int(start * 48_000 / 2048) for start in boxes[:, 0]]


def test_box_times_are_not_rounded(sampler: WindowSampler, tmp_path: Path) -> None:
    """The notebook truncates them to whole seconds."""
    np.save(tmp_path / "r0.npy", np.repeat(np.arange(470, dtype=np.int16)[:, None], 32, axis=1))  # 20 s
    boxes = np.array([[9.9, 1000.0, 10.4, 2000.0]])
    annotations = Annotations(np.array(["r0"]), boxes, np.array([0]), np.array([True]))
    params = changed(sampler.params, {"train": {"begin_within": 0.0}})
    first = float(window(WindowSampler(annotations, tmp_path, params, 1, sampler.job), 0, epoch=0)[0][0, 0])
    assert first == int(9.9 * 48_000 / 2048)


def test_within_band_masks_boxes_outside_the_frequency_band(sampler: WindowSampler) -> None:
    for within_band, known in [(False, 1.0), (True, 0.0)]:
        changes = {"labels": {"within_band": within_band}, "spectrogram": {"f_min": 3000.0}}
        other = WindowSampler(
            sampler.annotations, sampler.folder, changed(sampler.params, changes), N_ROWS, sampler.job
        )
        assert window(other, 1, epoch=0)[2][1] == known


def test_batches_include_reproducible_augmentations(sampler: WindowSampler) -> None:
    params = changed(sampler.params, {"augment": {"choices": ["flip_time", "contrast"], "most": 2}})
    inputs, _ = next(WindowSampler(sampler.annotations, sampler.folder, params, N_ROWS, sampler.job).batches())
    assert inputs["flip"].shape == (4, 2)
    assert inputs["contrast"].shape == (4,)
    again, _ = next(WindowSampler(sampler.annotations, sampler.folder, params, N_ROWS, sampler.job).batches())
    for name, value in inputs.items():
        np.testing.assert_array_equal(value, again[name])
