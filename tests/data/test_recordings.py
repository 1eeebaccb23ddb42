"""The recordings of a folder."""

import os
from pathlib import Path

import pytest
import soundfile
from sounds import RATE, noise

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.data.recordings import list_recordings, why_unusable
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


def test_hidden_files_are_no_recordings(tmp_path: Path) -> None:
    # What macOS leaves beside each file, and a folder of its own.
    for name in ("site.1/20240611.WAV", "site.1/._20240611.WAV", ".Trashes/a.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.wav").mkdir()
    assert list(list_recordings(tmp_path)[0]) == ["site.1/20240611"]


def test_a_link_to_a_folder_is_refused_and_one_to_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.wav").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.wav").symlink_to(tmp_path / "disk/a.wav")
    assert list(list_recordings(tmp_path / "data")[0]) == ["a"]
    (tmp_path / "data/site").symlink_to(tmp_path / "disk")
    (tmp_path / "whole").symlink_to(tmp_path / "disk")
    for folder, link in (("data", "data/site"), ("whole", "whole")):
        with pytest.raises(InputError, match=f"{link}: is a link to a folder, and DVC would not notice"):
            list_recordings(tmp_path / folder)


def test_a_line_break_in_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\nb.wav").touch()
    with pytest.raises(InputError, match=r"the file name 'a\\nb' has a line break; rename it"):
        list_recordings(tmp_path)


def test_every_format_that_can_be_decoded_is_a_recording(tmp_path: Path) -> None:
    formats = {
        "aif": ("AIFF", "PCM_16"), "AIFF": ("AIFF", "PCM_24"), "flac": ("FLAC", "PCM_16"),
        "Mp3": ("MP3", "MPEG_LAYER_III"), "oga": ("OGG", "VORBIS"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"),
        "W64": ("W64", "PCM_16"), "wav": ("WAV", "PCM_16"),
    }  # fmt: skip
    for suffix, (kind, subtype) in formats.items():
        soundfile.write(tmp_path / f"{suffix}.{suffix}", noise(), RATE, format=kind, subtype=subtype)
    recordings, remarks = list_recordings(tmp_path)
    assert list(recordings) == sorted(formats)
    assert remarks == []
    for path in recordings.values():
        assert sum(map(len, read_blocks(path, RATE))) == pytest.approx(len(noise()), abs=0.1 * RATE), path


def test_sound_in_other_formats_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    for name in ("a.m4a", "b c/d.M4A", "e.wma", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    with pytest.raises(InputError, match=r"no recordings; expected .*; train: some files .* 2 \.m4a, 1 \.wma"):
        list_recordings(folder)
    (folder / "f.wav").touch()
    recordings, (remark,) = list_recordings(folder)
    assert list(recordings) == ["f"]
    assert remark.endswith(f"not read: 2 .m4a, 1 .wma; convert to FLAC: ffmpeg -i {folder}/a.m4a {folder}/a.flac")


def test_unusable_names_and_folders_can_be_listed_with_their_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all/site").mkdir(parents=True)
    (tmp_path / "all/locked").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "all/link").symlink_to(tmp_path / "elsewhere")
    for raw in (b"good.wav", b"caf\xe9.wav", b"a\nb.wav", b"x" * 221 + b".wav", b"y" * 220 + b".wav", b"\xc3\xa9.wav"):
        Path(os.fsdecode(os.fsencode(tmp_path / "all/site") + b"/" + raw)).touch()
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    # Nobody can lock a folder for root, as whom the tests may run.
    monkeypatch.setattr("os.scandir", refuse)
    found = list_recordings(tmp_path / "all", with_unusable=True)[0]
    assert {name: why_unusable(path) for name, path in found.items()} == {
        "link": "is a link to a folder, which is not searched; name that folder, too",
        "locked": "the folder cannot be read: Permission denied; correct its permissions",
        "site/a\\nb": "its name has a line break; rename it",
        r"site/caf\xe9": "its name is not UTF-8; rename it",
        "site/good": "",
        f"site/{'x' * 221}": "its name has 221 bytes without suffix, expected at most 220, so that files can be named "
        "after it; rename it",
        f"site/{'y' * 220}": "",
        "site/é": "",
    }
    for name in found:
        name.encode()
    with pytest.raises(InputError, match=r"cannot be read: Permission denied|is a link"):
        list_recordings(tmp_path / "all")
