"""Tables of window scores, read back and by pandas, and scores of boxes by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dawnchorus.errors import InputError
from dawnchorus.inference.box_scores import score_boxes
from dawnchorus.inference.window_tables import Windows, read_windows, write_windows


@pytest.fixture
def windows() -> Windows:
    """Two recordings with windows of 3 s, the last of which ends with the recording."""
    starts = [np.array([0, 1.5, 3.0, 4.1]), np.array([0.0])]
    scores = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.95, 0.6], [0.5, 0.4]], np.float32)
    return Windows.of(["site 1/a", "b,é"], starts, [scores[:4], scores[4:]], 2)


def test_a_table_reads_back_and_opens_in_pandas(windows: Windows, tmp_path: Path) -> None:
    write_windows(tmp_path / "w.parquet", windows, ["A", "b c"])
    found = read_windows(tmp_path / "w.parquet", ["A", "b c"])
    assert found.recording_ids == windows.recording_ids
    for name in ("n_windows", "starts", "scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(windows, name))
    table = pd.read_parquet(tmp_path / "w.parquet")
    assert list(table.columns) == ["recording_id", "start", "A", "b c"]
    assert list(table.recording_id) == ["site 1/a"] * 4 + ["b,é"]
    expected = table.groupby("recording_id", sort=False, observed=True)[["A", "b c"]].max()
    np.testing.assert_array_equal(found.clip_scores(), expected)


def test_a_table_without_recordings_reads_back(tmp_path: Path) -> None:
    write_windows(tmp_path / "w.parquet", Windows.of([], [], [], 2), ["A", "B"])
    found = read_windows(tmp_path / "w.parquet", ["A", "B"])
    assert found.recording_ids == []
    assert found.scores.shape == found.clip_scores().shape == (0, 2)


def test_a_damaged_or_foreign_table_is_refused(windows: Windows, tmp_path: Path) -> None:
    path = tmp_path / "w.parquet"
    with pytest.raises(InputError, match=r"w\.parquet: cannot be read"):
        read_windows(path, ["A", "B"])
    write_windows(path, windows, ["A", "B"])
    with pytest.raises(InputError, match="has the columns recording_id, start, A, B, expected recording_id, start, A"):
        read_windows(path, ["A"])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"w\.parquet: cannot be read"):
        read_windows(path, ["A", "B"])


@pytest.mark.parametrize(
    ("t_min", "t_max", "min_overlap", "expected"),
    [
        (2.0, 2.8, 0.5, 0.2),  # wholly in the windows at 0 and 1.5
        (3.5, 4.4, 0.5, 0.3),  # in those at 1.5 and 3.0; a third of it in the one at 4.1
        (3.5, 4.4, 0.3, 0.95),
        (0.0, 7.1, 0.5, 0.95),  # longer than a window: all windows are full of it
        (1.5, 4.5, 0.5, 0.2),  # as long as a window: only that window is known to have it
        (1.6, 4.6, 0.5, 0.2),  # nearest to that at 1.5
        (2.9, 3.1, 0.0, 0.3),  # any overlap counts
        (3.0, 3.5, 0.0, 0.3),  # the window that ends where it starts has none of it
    ],
)
def test_a_box_has_the_highest_score_of_the_windows_with_enough_of_it(
    windows: Windows, t_min: float, t_max: float, min_overlap: float, expected: float
) -> None:
    boxes = pd.DataFrame({"recording_id": ["site 1/a"], "species_id": [0], "t_min": [t_min], "t_max": [t_max]})
    assert score_boxes(windows, boxes, 3.0, min_overlap) == pytest.approx([expected])


def test_a_box_between_windows_has_the_score_of_the_one_with_most_of_it() -> None:
    windows = Windows.of(["a"], [np.array([0.0, 3.0])], [np.array([[0.9], [0.4]], np.float32)], 1)
    boxes = pd.DataFrame({"recording_id": ["a"], "species_id": [0], "t_min": [2.6], "t_max": [3.6]})
    assert score_boxes(windows, boxes, 3.0, 0.9) == pytest.approx([0.4])
