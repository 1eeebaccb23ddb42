"""The files of usable recordings, as later stages read them."""

from pathlib import Path

import pandas as pd
import pytest

from dawnchorus.data.sounds import read_sounds, write_sounds
from dawnchorus.errors import InputError


def test_only_usable_recordings_are_written_and_nothing_but_their_sound(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    recordings = pd.DataFrame(
        {"file": ["train/a,b.wav", "train/c.wav"], "start": ["2024-06-11T05:30:00", ""], "group": ["x", "y"],
         "usable": [True, False], "problem": ["", "silent"], "digest": ["1e5", "2"], "fold": [0, 1]},
        index=pd.Index(["a,b", "c"], name="recording_id"),
    )  # fmt: skip
    write_sounds(path, recordings)
    assert path.read_text() == 'recording_id,file,digest\n"a,b","train/a,b.wav",1e5\n'
    assert read_sounds(path).to_dict("index") == {"a,b": {"file": "train/a,b.wav", "digest": "1e5"}}
    moved = recordings.assign(start="2024-06-11T05:30:00Z", group="", problem="clipped")
    write_sounds(tmp_path / "moved.csv", moved)
    assert (tmp_path / "moved.csv").read_bytes() == path.read_bytes()

    with pytest.raises(InputError, match=r"train\.csv"):
        read_sounds(path, ["fold"])
    write_sounds(path, recordings, ["fold"])
    assert read_sounds(path, ["fold"]).fold["a,b"] == "0"
