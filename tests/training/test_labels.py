"""Which windows the labels of a recording are compared with."""

import numpy as np
import pytest

from dawnchorus.training.labels import pair_with_windows


@pytest.mark.parametrize("seed", range(5))
def test_boxes_are_paired_with_the_windows_that_have_a_part_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 40, 6)
    edges = np.cumsum([0, *counts])
    starts = np.concatenate([np.sort(rng.uniform(0, 60, count)) for count in counts])
    recordings = rng.integers(0, 6, 50)
    begin = rng.uniform(0, 60, 50)
    end = begin + rng.uniform(0.1, 20, 50)
    box, window = pair_with_windows(recordings, begin, end, edges, starts, 3.0)
    recording_of = np.repeat(np.arange(6), counts)
    expected = [
        (one, other)
        for one in range(50)
        for other in range(len(starts))
        if recording_of[other] == recordings[one] and starts[other] < end[one] and starts[other] + 3.0 > begin[one]
    ]
    assert list(zip(box, window, strict=True)) == expected


def test_without_boxes_there_are_no_pairs() -> None:
    nothing = np.empty(0)
    box, window = pair_with_windows(nothing.astype(int), nothing, nothing, np.array([0, 2]), np.array([0.0, 3.0]), 3.0)
    assert (len(box), len(window)) == (0, 0)
