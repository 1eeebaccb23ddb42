"""Labels that a program gave keep their scores in other programs' formats, and do not pass for a person's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from crowsetta.formats.bbox import Raven
from soundevent import data, io

from dawnchorus.data.formats.writing import write_labels


@pytest.fixture
def field(tmp_path: Path) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    """A folder of two recordings, with two detections in one, and these as `writing.write_labels` takes them."""
    recordings = []
    for name, seconds in (("hill/a", 4.5), ("mill/a", 3.25)):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir()
        soundfile.write(path, np.zeros(int(seconds * 8000)), 8000)
        recordings.append((name, f"{name}.wav", seconds, 8000, 1))
    labels = pd.DataFrame({
        "recording_id": "mill/a", "species": ["WREN", "LARK"], "t_min": [0.125, 1.5], "t_max": [3.125, 3.25],
        "f_min": np.nan, "f_max": np.nan, "label": "present", "annotator": "", "channel": "1", "score": [0.75, 0.875],
        "probability": [0.9, 0.95],
    })  # fmt: skip
    columns = ["recording_id", "file", "seconds", "sample_rate", "channels"]
    return tmp_path, labels, pd.DataFrame(recordings, columns=columns).set_index("recording_id")


def written(field: tuple[Path, pd.DataFrame, pd.DataFrame], name: str) -> Path:
    root, labels, recordings = field
    (root / "out").mkdir()
    assert write_labels(name, root / "out", labels, recordings, root) == []
    return root / "out"


def test_raven_shows_scores(field: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    output = written(field, "raven")
    table = pd.read_csv(output / "mill/a.Table.1.selections.txt", sep="\t")
    assert list(table.Score) == [0.75, 0.875]
    assert list(table.Probability) == [0.9, 0.95]
    boxes = Raven.from_file(output / "mill/a.Table.1.selections.txt", annot_col="Species").to_bbox()
    assert [(box.onset, box.offset, box.label) for box in boxes] == [(0.125, 3.125, "WREN"), (1.5, 3.25, "LARK")]


def test_one_raven_table_counts_recordings_without_detections(field: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    table = pd.read_csv(written(field, "raven-table") / "selections.txt", sep="\t")
    assert list(table["Begin Time (s)"]) == [4.625, 6.0]
    assert list(table["File Offset (s)"]) == [0.125, 1.5]
    assert list(table["Begin Path"]) == [str(field[0].resolve() / "mill/a.wav")] * 2


def test_kaleidoscope_leaves_the_manual_id_to_a_person(field: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    table = pd.read_csv(written(field, "kaleidoscope") / "cluster.csv", keep_default_na=False)
    assert list(table["MANUAL ID"]) == ["", ""]
    assert list(table.TOP1MATCH) == ["WREN", "LARK"]
    assert list(table.TOP1DIST.astype(float)) == [0.25, 0.125]
    row = table.iloc[0]
    assert Path(row.INDIR, row.FOLDER, row["IN FILE"]) == field[0].resolve() / "mill/a.wav"


def test_soundevent_reads_predictions(field: tuple[Path, pd.DataFrame, pd.DataFrame]) -> None:
    found = io.load(written(field, "aoef") / "predictions.json", audio_dir=field[0])
    assert isinstance(found, data.PredictionSet)
    (clip,) = found.clip_predictions
    assert clip.clip.recording.path.name == "a.wav"
    events = {
        (one.tags[0].tag.value, one.score, *one.sound_event.geometry.coordinates)
        for one in clip.sound_events
        if isinstance(one.sound_event.geometry, data.TimeInterval)
    }
    assert events == {("WREN", 0.75, 0.125, 3.125), ("LARK", 0.875, 1.5, 3.25)}
