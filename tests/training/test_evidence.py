"""Out-of-fold evidence for calibration, by hand."""

import numpy as np
import pandas as pd
import pytest

from dawnchorus.data.annotations import Annotations, labelled_boxes
from dawnchorus.data.complete import Completeness
from dawnchorus.inference.window_tables import Windows
from dawnchorus.training.evidence import gather_evidence


def test_boxes_count_unless_recordings_are_complete_for_their_species(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dawnchorus.training.evidence.FEWEST_RECORDINGS", 1)
    starts = np.array([0.0, 2.0, 4.0])
    scores = np.arange(12, dtype=np.float32).reshape(6, 2) / 20
    windows = Windows.of(["a", "b"], [starts, starts], [scores[:3], scores[3:]], 2)
    columns = ["recording_id", "species_id", "t_min", "t_max", "f_min", "f_max", "is_tp"]
    table = pd.DataFrame(
        [("a", 0, 0.5, 1.5, 0, 1, True), ("b", 0, 4.5, 5.0, 0, 1, False), ("a", 1, 1.5, 2.6, 0, 1, True)],
        columns=columns,
    )
    uncertain = pd.DataFrame([("b", 1, 0.5, 1.0, 0, 1, False)], columns=columns)
    # The recordings are complete for the second species.
    complete = Completeness.of_table(pd.DataFrame({"recording_id": ["a", "b"], "species": "y"}), ["x", "y"])
    found = gather_evidence(
        windows, labelled_boxes(table, {"a", "b"}), Annotations.of_table(table), Annotations.of_table(uncertain),
        complete, pd.Series({"a": 7, "b": 9}), 2.0, 0.5,
    )  # fmt: skip
    rows = zip(
        found.species, found.is_present, np.round(found.scores * 20), found.units, found.is_any_window, strict=True
    )
    assert sorted(tuple(map(int, row)) for row in rows) == [
        # The boxes of the first species have the scores of the windows around them.
        (0, 0, 10, 9, 0),
        (0, 1, 0, 7, 0),
        # Of the second, 0.5 of 1.1 s is in the first window of a, which is neither, and 0.6 s in the next one.
        (1, 0, 5, 7, 1),
        # The first window of b has an uncertain box.
        (1, 0, 9, 9, 1),
        (1, 0, 11, 9, 1),
        (1, 1, 3, 7, 1),
    ]


def test_a_label_as_long_as_a_window_counts_for_that_window_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody listened to the window from 3 to 6 s; windows that share a half of it may be without the call."""
    monkeypatch.setattr("dawnchorus.training.evidence.FEWEST_RECORDINGS", 1)
    starts = np.arange(7) * 1.5
    windows = Windows.of(["a"], [starts], [np.arange(7, dtype=np.float32)[:, None] / 10], 1)
    columns = ["recording_id", "species_id", "t_min", "t_max", "f_min", "f_max", "is_tp"]
    table = pd.DataFrame([("a", 0, 3.0, 6.0, 0, 1, True)], columns=columns)
    complete = Completeness.of_table(pd.DataFrame({"recording_id": ["a"], "species": "x"}), ["x"])
    found = gather_evidence(
        windows, labelled_boxes(table, {"a"}), Annotations.of_table(table), Annotations.of_table(table[:0]), complete,
        pd.Series({"a": 0}), 3.0, 0.5,
    )  # fmt: skip
    rows = zip(np.round(found.scores * 10), found.is_present, strict=True)
    assert sorted(tuple(map(int, row)) for row in rows) == [(0, 0), (2, 1), (4, 0), (5, 0), (6, 0)]
