"""Recordings are checked beside each other and beside their annotations."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from sounds import RATE, noise, written

from dawnchorus.audio.file_checks import Inspection, inspect, look_at_header
from dawnchorus.data.quality import add_duplicates, add_labels_past_the_end, as_table, cut_at_the_end, summary


def look(path: Path) -> Inspection:
    return inspect(path, RATE, window_seconds=3.0)


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_duplicates_are_found_by_their_samples(tmp_path: Path) -> None:
    samples = (noise() * 32_767).astype(np.int16)
    (tmp_path / "train").mkdir()
    found = [
        look(written(tmp_path / "train/a.flac", samples)),
        look(written(tmp_path / "train/b.flac", samples[::-1])),
        look(written(tmp_path / "train/c.wav", samples)),
    ]
    add_duplicates(found)
    assert [one.remarks for one in found] == [[], [], ["duplicate content: same samples as train/a.flac"]]
    assert found[0].digest == found[2].digest != found[1].digest
    # The same samples at another rate are a different sound.
    assert look(written(tmp_path / "d.wav", samples, rate=24_000)).digest != found[0].digest


def test_a_copy_of_a_file_that_is_not_decoded_is_found(tmp_path: Path) -> None:
    decoded = look(written(tmp_path / "a.flac", noise()))
    shutil.copy(decoded.path, tmp_path / "b.flac")
    copy, other = look_at_header(tmp_path / "b.flac"), look_at_header(written(tmp_path / "c.flac", noise(2)))
    assert (copy.rate, copy.channels, copy.seconds) == (RATE, 1, 5)
    add_duplicates([decoded, copy, other])
    assert copy.digest == decoded.digest != other.digest
    assert [len(one.remarks) for one in (decoded, copy, other)] == [0, 1, 0]
    assert look_at_header(_bytes(tmp_path / "d.flac", b"not audio")).faults[0].startswith("unreadable: ")


def test_labels_past_the_end_name_their_line(tmp_path: Path) -> None:
    found = {"a": look(written(tmp_path / "a.flac", noise())), "b": look(written(tmp_path / "b.flac", noise(4)))}
    table = pd.DataFrame({
        "recording_id": ["a", "b", "b", "b"], "t_max": [5.05, 3.0, 4.2, 9.0], "table": "train_tp.csv",
        "line": [2, 3, 4, 5],
    })  # fmt: skip
    add_labels_past_the_end(found, table)
    assert found["a"].faults == []
    assert found["b"].faults == [
        "labels past the end: train_tp.csv line 4 and 1 more rows: t_max 4.2 s, recording 4.00 s"
    ]


def test_labels_of_windows_that_run_past_the_end_are_cut(tmp_path: Path) -> None:
    found = {"a": look(written(tmp_path / "a.flac", noise()))}
    table = pd.DataFrame({
        "recording_id": "a", "t_min": [1.0, 3.0, 6.0], "t_max": [4.0, 6.0, 9.0], "table": "a.txt", "line": [1, 2, 3],
    })  # fmt: skip
    cut, remarks = cut_at_the_end(found, table)
    assert list(cut.t_max) == [4, 5, 9]
    assert remarks == [
        "1 labels end behind their recordings and are cut there; first a.txt line 2: t_max 6 s, recording 5.00 s"
    ]
    add_labels_past_the_end(found, cut)
    assert found["a"].faults == ["labels past the end: a.txt line 3: t_max 9 s, recording 5.00 s"]


def test_the_table_and_the_summary(tmp_path: Path) -> None:
    found = {
        "train": {"a": look(written(tmp_path / "a.flac", noise(2))), "b": look(_bytes(tmp_path / "b.flac", b""))},
        "test": {"c": look(written(tmp_path / "c.wav", np.zeros((2 * RATE, 2))))},
    }
    sites = {"train": {"a": "hill 1", "b": ""}, "test": {"c": "hill 2"}}
    of_test = as_table(found, sites, {"test": pd.Series({"a": "x", "c": "lake"})}, tmp_path)
    assert list(of_test.group) == ["", "", "lake"]
    table = as_table(found, sites, {"train": pd.Series({"a": "hill"})}, tmp_path)
    assert list(table.usable) == [True, False, True]
    assert list(table.group) == ["hill", "", ""]
    assert list(table.split) == ["train", "train", "test"]
    assert list(table.site) == ["hill 1", "", "hill 2"]
    assert table.problem["c"] == "silent; stereo; shorter than a window: 2.00 s"
    assert table.file["c"] == "c.wav"
    assert not table.isna().any(axis=None)
    assert summary(found).splitlines() == [
        "train: 2 recordings, 0.0 h, 1 unusable",
        "  shorter than a window: 1",
        "  unreadable: 1",
        "test: 1 recordings, 0.0 h, 0 unusable",
        "  silent: 1",
        "  stereo: 1",
        "  shorter than a window: 1",
    ]
