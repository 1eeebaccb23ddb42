"""Pseudo-labels: window scores of an earlier round, their means over backbones, and interpolation between windows."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.errors import InputError
from dawnchorus.inference.window_scores import window_hop, write_window_scores
from dawnchorus.inference.windows import tile
from dawnchorus.training.pseudo_labels import (
    PseudoLabels,
    Unlabelled,
    interpolate,
    read_pseudo_labels,
    scored_recordings,
)
from dawnchorus.training.sampling import WindowSampler


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, 0.0),
        (4, 0.4),
        (5, 0.5),
        (8, 0.62),  # three fifths of the way from 0.5 to 0.7
        (10, 0.7),
        (11, 0.5),  # halfway between 0.7 and 0.3 of the last window, which starts two frames later
        (12, 0.3),
    ],
)
def test_scores_are_interpolated_between_the_two_nearest_windows(start: int, expected: float) -> None:
    np.testing.assert_array_equal(tile(20, 8, 5), [0, 5, 10, 12])
    # The first row is a window of another recording.
    scores = np.array([[0.9, 0.9], [0, 1], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7]])
    found = interpolate(scores, np.array([1]), np.array([start]), np.array([12]), hop=5)
    np.testing.assert_allclose(found, [[expected, 1 - expected]], atol=1e-6)


def test_interpolation_with_a_last_window_on_the_grid_and_with_a_single_window() -> None:
    # Windows at frames 0, 5 and 10 of one recording, and at frame 0 of another.
    scores = np.array([[0.2], [0.4], [0.8], [0.9]])
    first, starts, last = np.array([0, 0, 0, 3]), np.array([10, 7, 0, 0]), np.array([10, 10, 10, 0])
    found = interpolate(scores, first, starts, last, hop=5)
    np.testing.assert_allclose(found[:, 0], [0.8, 0.56, 0.2, 0.9], atol=1e-6)


def test_eight_windows_start_within_the_length_of_a_window() -> None:
    assert [window_hop(length) for length in (80, 47, 8, 3)] == [10, 5, 1, 1]


def write(folder: Path, scores: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_window_scores(folder, scores)


# Windows have 8 frames. Recording a has 6 frames; site/b has 10, so its windows start at frames 0, 1 and 2.
STARTS = {"a": tile(6, 8, 1), "site/b": tile(10, 8, 1)}


def test_pseudo_labels_are_the_mean_over_backbones(tmp_path: Path) -> None:
    write(tmp_path / "one/0", {"a": np.array([[0.25, 0.5]])})
    write(tmp_path / "one/1", {"site/b": np.array([[0.0, 1.0]] * 3)})
    write(tmp_path / "other/0", {"a": np.array([[0.75, 0.5]])})
    write(tmp_path / "other/1", {"site/b": np.array([[1.0, 1.0]] * 3)})
    scored = scored_recordings(tmp_path)
    assert scored == {"a": 0, "site/b": 1}
    # What killed jobs of another experiment were writing has no part in them.
    for name in (".writing.gone/0", "one/.writing.4"):
        write(tmp_path / name, {"b": np.array([[1.0, 1.0]])})
    assert scored_recordings(tmp_path) == scored
    labels = read_pseudo_labels(tmp_path, scored, STARTS.__getitem__, 1, 2, 0.3)
    assert labels.weight == 0.3
    assert labels.scores.dtype == np.float16
    found = labels.of(np.array(["a", "site/b", "site/b"]), np.array([0, 2, 1]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.5, 1], [0.5, 1]])
    (tmp_path / "other/1/site/b.npy").unlink()
    with pytest.raises(InputError, match=r"other/1/site/b\.npy: cannot be read"):
        read_pseudo_labels(tmp_path, scored, STARTS.__getitem__, 1, 2, 0.3)


def test_a_folder_without_scores_is_empty_and_damaged_scores_are_reported(tmp_path: Path) -> None:
    (tmp_path / ".snakemake_timestamp").touch()
    assert scored_recordings(tmp_path) == {}
    path = tmp_path / "one/0/a.npy"
    write(path.parent, {"a": np.full((1, 2), 0.5)})

    def read() -> PseudoLabels:
        return read_pseudo_labels(tmp_path, {"a": 0}, STARTS.__getitem__, 1, 2, 0.3)

    assert read().scores.shape == (1, 2)
    for scores, reason in [
        (np.full((2, 2), 0.5, np.float16), r"a\.npy: has \(windows, species\) \(2, 2\), expected \(1, 2\)"),
        (np.full((1, 2), np.nan, np.float16), r"a\.npy: is not a .* array of window scores"),
        (np.full((1, 2), 0.5), r"a\.npy: is not a .* float16 array of window scores"),
    ]:
        np.save(path, scores)
        with pytest.raises(InputError, match=reason):
            read()
    path.write_bytes(b"no array")
    with pytest.raises(InputError, match=r"a\.npy: cannot be read: .*make verify"):
        read()


def test_pseudo_labels_are_the_targets_of_species_without_an_annotation(tiny: Params, tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", np.zeros((94, 32), np.int16))
    boxes = np.array([[1.0, 1000, 1.5, 2000], [1.1, 1000, 1.6, 2000]])  # species 0 is present, species 1 is absent
    annotations = Annotations(np.array(["r", "r"]), boxes, np.array([0, 1]), np.array([True, False]))
    starts = tile(94, 47, 5)
    rising = np.linspace(0, 1, len(starts), dtype=np.float32)
    targets = PseudoLabels(
        np.stack([rising, rising, rising, 1 - rising], axis=1).astype(np.float16), {"r": (0, int(starts[-1]))}, 5, 0.25
    )
    params = changed(tiny, {"labels": {"weak_negative_weight": 0.5}, "train": {"mixup_alpha": 0.0}})
    sampler = WindowSampler(annotations, tmp_path, params, 4, ("small_cnn", 0), targets)
    found = set()
    for epoch in range(10):
        begins, labels = sampler.starts_and_labels(np.array([0, 1]), sampler.draws(epoch))
        for start, (target, known) in zip(begins, labels, strict=True):
            teaches = float(np.interp(start, starts, rising))
            np.testing.assert_allclose(target, [1, 0, teaches, 1 - teaches], atol=1e-3)
            np.testing.assert_allclose(known, [1, 1, 0.25, 0.25])
            found.add(start)
    assert len(found) > 5


def test_each_round_has_its_own_random_draws(tiny: Params, tmp_path: Path) -> None:
    annotations = Annotations(
        np.array([f"r{row}" for row in range(20)]), np.ones((20, 4)), np.zeros(20, int), np.ones(20, bool)
    )
    sampler = partial(WindowSampler, annotations, tmp_path, tiny, 1)
    jobs = [("small_cnn", 0), ("first", "small_cnn", 0), ("second", "small_cnn", 0)]
    draws = [sampler(job).draws(0) for job in jobs]
    assert len({tuple(each.order) for each in draws}) == len({tuple(each.start) for each in draws}) == 3


def test_unlabelled_recordings_are_drawn_with_their_pseudo_labels(tiny: Params, tmp_path: Path) -> None:
    for name, folder in (("r", "train"), ("site/u", "unlabelled/0"), ("v", "unlabelled/0"), ("w", "unlabelled/1")):
        path = tmp_path / folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.repeat(np.arange(94, dtype=np.int16)[:, None], 32, axis=1))
    boxes = np.tile([1.0, 1000, 1.5, 2000], (6, 1))
    annotations = Annotations(np.array(["r"] * 6), boxes, np.zeros(6, int), np.ones(6, bool))
    starts = tile(94, 47, 5)
    rising = np.linspace(0, 1, len(starts), dtype=np.float32)
    scores = np.concatenate([np.stack([rising, 1 - rising], axis=1)] * 4).astype(np.float16)
    places = {name: (row * len(starts), int(starts[-1])) for row, name in enumerate(("r", "site/u", "v", "w"))}
    unlabelled = Unlabelled([tmp_path / "unlabelled/0", tmp_path / "unlabelled/1"], ["site/u", "v", "w"])

    def sampler(fraction: float) -> WindowSampler:
        changes = {"train": {"mixup_alpha": 0.0, "batch_size": 4, "unlabelled_fraction": fraction}}
        labels = PseudoLabels(scores, places, 5, 0.25)
        job = ("second", "small_cnn", 0)
        return WindowSampler(annotations, tmp_path / "train", changed(tiny, changes), 2, job, labels, unlabelled)

    # All three are drawn if the fraction allows it. Otherwise each epoch draws a new selection of the allowed number.
    every, some, none = sampler(10.0), sampler(1 / 3), sampler(0.0)
    assert [each.steps_per_epoch for each in (every, some, none)] == [3, 2, 2]
    drawn = [[set(each.draws(epoch).order[each.draws(epoch).order >= 6]) for epoch in range(8)]
             for each in (every, some, none)]  # fmt: skip
    assert drawn[0] == [{6, 7, 8}] * 8
    assert {len(rows) for rows in drawn[1]} == {2}
    assert len({frozenset(rows) for rows in drawn[1]}) > 1
    assert drawn[2] == [set()] * 8
    found = set()
    for epoch in range(20):
        rows = np.array([6, 7, 8])
        begins, labels = every.starts_and_labels(rows, every.draws(epoch))
        windows = every.read(rows, begins)
        for begin, window, (target, mask) in zip(begins, windows, labels, strict=True):
            assert window[0, 0] == begin
            teaches = np.interp(begin, starts, rising)
            np.testing.assert_allclose(target, [teaches, 1 - teaches], atol=1e-3)
            np.testing.assert_allclose(mask, [0.25, 0.25])
            found.add(int(begin))
    # Windows start anywhere in the recording, which has 94 frames.
    assert min(found) < 5
    assert max(found) > 41
