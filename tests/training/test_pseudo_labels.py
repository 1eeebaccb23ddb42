"""What an earlier round says: the scores of windows, their means, and the targets of any window between them."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny import changed

from dawnchorus.config.params import Params
from dawnchorus.data.annotations import Annotations
from dawnchorus.errors import InputError
from dawnchorus.inference.windows import tile
from dawnchorus.training.pseudo_labels import (
    PseudoLabels,
    average,
    interpolate,
    pseudo_label_hop,
    read_pseudo_labels,
    write_pseudo_labels,
    write_window_scores,
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
        (11, 0.5),  # half of the way from 0.7 to the last window's 0.3, which begins two frames later
        (12, 0.3),
    ],
)
def test_targets_lie_on_the_line_between_the_two_nearest_windows(start: int, expected: float) -> None:
    np.testing.assert_array_equal(tile(20, 8, 5), [0, 5, 10, 12])
    # Another recording's windows come before.
    scores = np.array([[0.9, 0.9], [0, 1], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7]])
    found = interpolate(scores, np.array([1]), np.array([start]), np.array([12]), hop=5)
    np.testing.assert_allclose(found, [[expected, 1 - expected]], atol=1e-6)


def test_a_last_window_on_the_grid_and_a_recording_of_one_window() -> None:
    scores = np.array([[0.2], [0.4], [0.8], [0.9]])  # windows on frames 0, 5 and 10 of one, on frame 0 of another
    first, starts, last = np.array([0, 0, 0, 3]), np.array([10, 7, 0, 0]), np.array([10, 10, 10, 0])
    found = interpolate(scores, first, starts, last, hop=5)
    np.testing.assert_allclose(found[:, 0], [0.8, 0.56, 0.2, 0.9], atol=1e-6)


def test_eight_windows_begin_within_a_windows_length() -> None:
    assert [pseudo_label_hop(length) for length in (80, 47, 8, 3)] == [10, 5, 1, 1]


def test_the_mean_over_backbones_is_written_and_read(tmp_path: Path) -> None:
    one, other = {"a": np.array([[0.25, 0.5]]), "b": np.array([[0.0, 1.0]] * 3)}, {"a": np.array([[0.75, 0.5]])}
    for name, scores in (("one", one), ("other", other | {"b": np.array([[1.0, 1.0]] * 3)}), ("targets", {})):
        (tmp_path / name).mkdir()
        write_window_scores(tmp_path / name, scores)
    means = average([tmp_path / "one", tmp_path / "other"])
    write_pseudo_labels(tmp_path / "targets", means, 0.3)
    # Windows of 8 frames: a has 6 frames, b has 10, and windows begin on its frames 0, 1 and 2.
    starts = {"a": tile(6, 8, 1), "b": tile(10, 8, 1)}
    targets = read_pseudo_labels(tmp_path / "targets", ["b", "a"], starts.__getitem__, 1, 2)
    assert targets is not None
    assert targets.weight == 0.3
    assert targets.scores.dtype == np.float16
    found = targets.of(np.array(["a", "b", "b"]), np.array([0, 2, 1]))
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.5, 1], [0.5, 1]])

    write_window_scores(tmp_path / "other", {"b": np.array([[1.0, 1.0]])})
    with pytest.raises(InputError, match=r"one/b\.npy: has another shape than another backbone's"):
        average([tmp_path / "one", tmp_path / "other"])
    (tmp_path / "other/b.npy").unlink()
    with pytest.raises(InputError, match=r"other/b\.npy: cannot be read"):
        average([tmp_path / "one", tmp_path / "other"])


def test_an_empty_folder_is_no_teacher_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    def read() -> PseudoLabels | None:
        return read_pseudo_labels(tmp_path, ["a"], lambda name: tile(10, 8, 1), 1, 2)

    (tmp_path / ".snakemake_timestamp").touch()
    assert read() is None
    write_pseudo_labels(tmp_path, {"a": np.full((3, 2), 0.5)}, 0.3)
    assert read() is not None
    for scores, reason in [
        (np.full((2, 2), 0.5, np.float16), r"a\.npy: has \(windows, species\) \(2, 2\), expected \(3, 2\)"),
        (np.full((3, 2), np.nan, np.float16), r"a\.npy: holds no scores"),
        (np.full((3, 2), 0.5), r"a\.npy: holds no scores .* float16"),
    ]:
        np.save(tmp_path / "a.npy", scores)
        with pytest.raises(InputError, match=reason):
            read()
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match=r"a\.npy: cannot be read: .*make verify"):
        read()
    (tmp_path / "weight.txt").write_text("heavy")
    with pytest.raises(InputError, match=r"weight\.txt: cannot be read"):
        read()


def test_windows_get_what_the_teacher_says_where_nobody_listened(tiny: Params, tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", np.zeros((94, 32), np.float16))
    boxes = np.array([[1.0, 1000, 1.5, 2000], [1.1, 1000, 1.6, 2000]])  # a call of species 0, none of species 1
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
        begins, labels = sampler.places(np.array([0, 1]), sampler.draws(epoch))
        for start, (target, known) in zip(begins, labels, strict=True):
            teaches = float(np.interp(start, starts, rising))
            np.testing.assert_allclose(target, [1, 0, teaches, 1 - teaches], atol=1e-3)
            np.testing.assert_allclose(known, [1, 1, 0.25, 0.25])
            found.add(start)
    assert len(found) > 5


def test_rounds_draw_apart(tiny: Params, tmp_path: Path) -> None:
    annotations = Annotations(
        np.array([f"r{row}" for row in range(20)]), np.ones((20, 4)), np.zeros(20, int), np.ones(20, bool)
    )
    sampler = partial(WindowSampler, annotations, tmp_path, tiny, 1)
    jobs = [("small_cnn", 0), ("first", "small_cnn", 0), ("second", "small_cnn", 0)]
    draws = [sampler(job).draws(0) for job in jobs]
    assert len({tuple(each.order) for each in draws}) == len({tuple(each.place) for each in draws}) == 3
