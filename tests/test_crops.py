"""Training windows: every row once an epoch, at a new place, with labels and mask mixed as the images are."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tiny import changed

from dawnchorus.crops import Annotations, Crops
from dawnchorus.params import Params

N_ROWS = 11


@pytest.fixture
def crops(tiny: Params, tmp_path: Path) -> Crops:
    """Rows of which each has its own species and its own recording, whose values are the row's number."""
    for row in range(N_ROWS):
        np.save(tmp_path / f"r{row}.npy", np.full((94, 32), row, np.float16))
    annotations = Annotations(
        np.array([f"r{row}" for row in range(N_ROWS)]),
        np.tile([1.5, 2.5], (N_ROWS, 1)),
        np.arange(N_ROWS),
        np.arange(N_ROWS) % 3 > 0,
    )
    params = changed(tiny, {"train": {"batch_size": 4, "mixup_alpha": 0.0}})
    return Crops(annotations, tmp_path, params, N_ROWS, ("small_cnn", 0))


def rows_of(batches: list[tuple[dict, np.ndarray]]) -> list[int]:
    return [int(window[0, 0]) for inputs, _ in batches for window in inputs["windows"]]


def test_every_row_once_an_epoch_in_a_new_order(crops: Crops) -> None:
    assert crops.steps_per_epoch == 3
    first, second = list(islice(crops.batches(), 3)), list(islice(crops.batches(), 3, 6))
    assert sorted(rows_of(first)) == sorted(rows_of(second)) == list(range(N_ROWS))
    assert rows_of(first) != rows_of(second)
    assert [len(labels) for _, labels in first] == [4, 4, 3]


def test_a_later_epoch_can_be_started_at(crops: Crops) -> None:
    through, resumed = list(islice(crops.batches(), 3, 6)), list(islice(crops.batches(first_epoch=1), 3))
    for (inputs, labels), (inputs_again, labels_again) in zip(through, resumed, strict=True):
        np.testing.assert_array_equal(labels, labels_again)
        for key, value in inputs.items():
            np.testing.assert_array_equal(value, inputs_again[key])


def test_targets_and_masks_of_calls_and_false_positives(crops: Crops) -> None:
    for inputs, labels in islice(crops.batches(), 3):
        for row, (target, known) in zip(rows_of([(inputs, labels)]), labels, strict=True):
            np.testing.assert_allclose(target, (np.arange(N_ROWS) == row) * float(row % 3 > 0))
            weight = crops.params.labels.unlabelled_weight
            np.testing.assert_allclose(known, np.where(np.arange(N_ROWS) == row, 1, weight))


def test_windows_move_from_epoch_to_epoch(crops: Crops, tmp_path: Path) -> None:
    np.save(tmp_path / "r0.npy", np.repeat(np.arange(94, dtype=np.float16)[:, None], 32, axis=1))
    starts = {float(crops.crop(0, epoch)[0][0, 0]) for epoch in range(20)}
    assert len(starts) > 10
    # The box begins 35 frames into the recording, within the first three quarters of 47 frames, and half of it counts.
    assert min(starts) >= 0
    assert max(starts) <= 36


def test_mixup_mixes_labels_and_masks_with_the_images(crops: Crops) -> None:
    mixed = Crops(
        crops.annotations, crops.folder, changed(crops.params, {"train": {"mixup_alpha": 0.5}}), N_ROWS, crops.job
    )
    for (inputs, labels), (_, plain) in zip(islice(mixed.batches(), 3), islice(crops.batches(), 3), strict=True):
        own = inputs["weight"][:, None, None]
        assert ((own >= 0) & (own <= 1)).all()
        np.testing.assert_allclose(labels, own * plain + (1 - own) * plain[inputs["partner"]], rtol=1e-5)


def test_models_draw_apart(crops: Crops) -> None:
    other = Crops(crops.annotations, crops.folder, crops.params, N_ROWS, ("small_cnn", 1))
    assert rows_of(list(islice(crops.batches(), 3))) != rows_of(list(islice(other.batches(), 3)))
