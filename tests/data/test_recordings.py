"""The recordings of a folder."""

from pathlib import Path

import pytest

from dawnchorus.data.recordings import list_recordings
from dawnchorus.errors import InputError


def test_a_folder_must_hold_each_recording_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no recordings"):
        list_recordings(tmp_path)
    with pytest.raises(InputError, match=r"train: is missing.*data\.root"):
        list_recordings(tmp_path / "train")
    for name in ("a.flac", "a.WAV"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"'a' already exists as a\."):
        list_recordings(tmp_path)
