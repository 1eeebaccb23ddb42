"""Checks of audio files find and name what is wrong or unusual with each."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import RATE, noise, written

from dawnchorus.audio.file_checks import Inspection, inspect


def look(path: Path) -> Inspection:
    return inspect(path, RATE, window_seconds=3.0)


@pytest.mark.parametrize("suffix", ["flac", "wav", "ogg", "mp3"])
def test_a_good_recording_in_any_format(tmp_path: Path, suffix: str) -> None:
    samples = noise()
    found = look(written(tmp_path / f"a.{suffix}", samples))
    assert (found.faults, found.remarks) == ([], [])
    assert (found.rate, found.channels) == (RATE, 1)
    assert found.seconds == pytest.approx(5, abs=0.1)
    decoded, _ = soundfile.read(found.path)
    assert found.peak == pytest.approx(np.abs(decoded).max())
    assert found.rms == pytest.approx(np.sqrt(np.mean(decoded**2)))


def test_a_long_recording_is_read_to_its_end(tmp_path: Path) -> None:
    samples = noise(60)
    samples[-1] = 0.95
    found = look(written(tmp_path / "a.flac", samples))
    assert found.seconds == 60
    assert found.peak == pytest.approx(0.95, abs=1e-4)


FAULTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no audio": (lambda folder: _bytes(folder / "a.flac", b"not audio"), "unreadable: "),
    "no bytes": (lambda folder: _bytes(folder / "a.wav", b""), "unreadable: "),
    "a folder": (lambda folder: _folder(folder / "a.wav"), "unreadable: "),
    "FLAC cut": (lambda folder: written(folder / "a.flac", noise(), part=0.6), "truncated: "),
    "MP3 cut": (
        lambda folder: written(folder / "a.mp3", noise(), part=0.6),
        "truncated: the header declares 5.04 s, the frames have 2.98 s",
    ),
    "WAV cut": (
        lambda folder: written(folder / "a.wav", noise(), part=0.6),
        "truncated: the header declares 480000 bytes (5.00 s) of sound, the file has 287982 bytes (3.00 s)",
    ),
    "no samples": (lambda folder: written(folder / "a.wav", np.zeros(0)), "empty: no samples"),
    "NaN": (lambda folder: _strange(folder / "a.wav", np.nan), "NaN or infinite samples"),
    "absurd": (lambda folder: _strange(folder / "a.wav", 1e30), "no sound: samples of up to 1e+30"),
    "a rate of 1 Hz": (
        lambda folder: written(folder / "a.wav", noise(), rate=1),
        "absurd rate: 1 Hz, expected 1000 to",
    ),
    "infinite": (lambda folder: _strange(folder / "a.wav", np.inf), "NaN or infinite samples"),
}


REMARKS: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "silent": (lambda folder: written(folder / "a.wav", np.zeros(5 * RATE)), ["silent"]),
    "clipped": (lambda folder: written(folder / "a.wav", np.clip(20 * noise(), -1, 1)), ["clipped"]),
    "another rate": (lambda folder: written(folder / "a.wav", noise(), rate=24_000), ["another rate: 24000 Hz"]),
    "stereo": (lambda folder: written(folder / "a.flac", np.stack([noise()] * 2, axis=1)), ["stereo"]),
    "short": (lambda folder: written(folder / "a.flac", noise(2)), ["shorter than a window: 2.00 s"]),
    "upper case": (lambda folder: written(folder / "a.WAV", noise()), []),
    "MP3 as WAV": (
        lambda folder: written(folder / "a.mp3", noise()).rename(folder / "a.wav"),
        ["MP3 by content: named .wav"],
    ),
}


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _strange(path: Path, value: float) -> Path:
    samples = noise()
    samples[1000] = value
    return written(path, samples, subtype="FLOAT")


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_used(tmp_path: Path, name: str) -> None:
    make, expected = FAULTS[name]
    found = look(make(tmp_path))
    assert len(found.faults) == 1
    assert found.faults[0].startswith(expected)
    assert np.isfinite([found.seconds, found.peak, found.rms]).all()


@pytest.mark.parametrize("name", REMARKS)
def test_what_is_unusual(tmp_path: Path, name: str) -> None:
    make, expected = REMARKS[name]
    found = look(make(tmp_path))
    assert (found.faults, found.remarks) == ([], expected)


def test_a_wav_from_a_pipe_or_a_careless_recorder_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise())
    content = bytearray(path.read_bytes())
    for size in (0xFFFFFFFF, path.stat().st_size):  # the second counts its own heading, as some recorders do
        content[4:8] = struct.pack("<I", size)
        path.write_bytes(content)
        assert look(path).faults == []
