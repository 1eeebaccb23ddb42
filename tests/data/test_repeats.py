"""Rows that say the same count once; rows that contradict each other are named."""

import numpy as np
import pandas as pd

from dawnchorus.data.repeats import without_repeats


def annotations(*rows: tuple[str, str, float, str, str, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["recording_id", "species", "t_min", "label", "table", "line"])
    return table.assign(t_max=table.t_min + 1, f_min=100.0, f_max=200.0)


def test_equal_rows_count_once() -> None:
    table = annotations(
        ("a", "s0", 0.5, "present", "train_tp.csv", 2),
        ("a", "s0", 1.5, "present", "train_tp.csv", 3),
        ("a", "s1", 0.5, "present", "train_tp.csv", 4),
        ("a", "s0", 1.5, "present", "train_tp.csv", 5),
        ("a", "s0", 0.5, "present", "train_tp.csv", 6),
        ("b", "s0", 0.5, "present", "train_tp.csv", 7),
    )
    kept, remarks = without_repeats(table)
    assert list(kept.line) == [2, 3, 4, 7]
    assert list(kept.index) == [0, 1, 2, 3]
    assert remarks == ["2 rows repeat an earlier row and count once: first train_tp.csv line 5 = train_tp.csv line 3"]
    assert without_repeats(kept)[1] == []


def test_rows_without_frequencies_may_be_equal_too() -> None:
    table = annotations(*[("a", "s0", 0.5, label, "labels.txt", line) for line, label in
                          enumerate(("present", "present", "absent"), 1)])  # fmt: skip
    kept, (repeated, contradicts) = without_repeats(table.assign(f_min=np.nan, f_max=np.nan))
    assert list(kept.line) == [1, 3]
    assert repeated.endswith("first labels.txt line 2 = labels.txt line 1")
    assert "first labels.txt line 1 and labels.txt line 3" in contradicts


def test_a_box_that_is_both_present_and_absent_is_named() -> None:
    table = annotations(
        ("a", "s0", 0.5, "present", "train_tp.csv", 2),
        ("b", "s0", 0.5, "present", "train_tp.csv", 3),
        ("b", "s1", 0.5, "absent", "train_fp.csv", 2),
        ("b", "s0", 0.5, "absent", "train_fp.csv", 3),
        ("b", "s0", 0.5, "absent", "train_fp.csv", 4),
    )
    kept, (repeated, contradicts) = without_repeats(table)
    assert list(kept.line) == [2, 3, 2, 3]
    assert repeated.startswith("1 rows repeat an earlier row")
    assert contradicts == (
        "1 boxes are both present and absent, and training takes them for present; first train_tp.csv line 3 and "
        "train_fp.csv line 3; correct one of the rows"
    )
