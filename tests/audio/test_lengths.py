"""Estimates of lengths, against the lengths with which files were written."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dawnchorus.audio import lengths
from dawnchorus.audio.lengths import estimate_seconds


def write(path: Path, seconds: float, rate: int = 24_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(0).normal(0, 0.1, (int(seconds * rate), channels))
    soundfile.write(path, samples, rate)


def sizes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in sorted(folder.rglob("*")) if not path.is_dir()}


def test_each_folder_and_format_has_its_own_bit_rate(tmp_path: Path) -> None:
    expected = {}
    for folder, suffix, rate, channels in (
        ("hill", "wav", 48_000, 1), ("hill", "flac", 24_000, 1), ("mill", "WAV", 384_000, 2), ("mill", "ogg", 24_000, 1)
    ):  # fmt: skip
        for number, seconds in enumerate((4.0, 8.0, 2.0)):
            path = tmp_path / folder / f"{number}{suffix}.{suffix}"
            write(path, seconds, rate, channels)
            expected[path] = seconds
    found = estimate_seconds(sizes(tmp_path))
    assert found.keys() == expected.keys()
    for path, seconds in expected.items():
        assert found[path] == pytest.approx(seconds, rel=0.15 if path.suffix == ".ogg" else 0.02), path


def test_only_some_folders_of_very_many_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        write(tmp_path / f"{number}/a.wav", 3.0)
    opened = []
    info = soundfile.info

    def counted(path: Path) -> object:
        opened.append(path)
        return info(path)

    monkeypatch.setattr(lengths, "MOST_OPENED", 5)
    monkeypatch.setattr(soundfile, "info", counted)
    assert list(estimate_seconds(sizes(tmp_path)).values()) == pytest.approx([3.0] * 20, rel=0.01)
    assert len(opened) == 5


def test_files_without_sound_are_taken_for_pcm_at_48_khz_or_for_others_of_their_format(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/text.wav").write_bytes(b"x" * 192_000)
    (tmp_path / "a/empty.wav").touch()
    # Opening a pipe would wait forever.
    os.mkfifo(tmp_path / "a/pipe.flac")
    found = estimate_seconds(sizes(tmp_path))
    assert {path.name: seconds for path, seconds in found.items()} == {
        "text.wav": 2.0,
        "empty.wav": 0.0,
        "pipe.flac": 0,
    }
    write(tmp_path / "b/sound.wav", 2.0, 24_000)
    assert estimate_seconds(sizes(tmp_path))[tmp_path / "a/text.wav"] == pytest.approx(4.0, rel=0.01)
