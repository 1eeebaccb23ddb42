"""Remarks tell recordings in which something is wrong with the sound itself, whatever their encoding."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import RATE, noise, written

from dawnchorus.audio import file_checks
from dawnchorus.audio.decoding import Channel
from dawnchorus.audio.file_checks import Inspection, inspect


def look(path: Path, channel: Channel = "mean") -> Inspection:
    return inspect(path, RATE, window_seconds=3.0, channel=channel)


@pytest.fixture(params=[2**16, 1000], autouse=True)
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """What is found does not depend on where blocks end."""
    monkeypatch.setattr(file_checks, "BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "ALAW", "ULAW", "FLOAT"])
def test_clipping_in_every_encoding(tmp_path: Path, subtype: str) -> None:
    loud = written(tmp_path / "loud.wav", np.clip(20 * noise(), -1, 1), subtype=subtype)
    quiet = written(tmp_path / "quiet.wav", noise(), subtype=subtype)
    assert look(loud).remarks == ["clipped"]
    assert look(quiet).remarks == []


def test_only_one_side_clipped(tmp_path: Path) -> None:
    loud = np.clip(20 * noise(), -0.5, 1)
    assert look(written(tmp_path / "a.wav", loud, subtype="PCM_U8")).remarks == ["clipped"]


def test_floats_beyond_full_scale_are_not_clipped(tmp_path: Path) -> None:
    assert look(written(tmp_path / "a.wav", 10 * noise(), subtype="FLOAT")).remarks == []


def test_floats_on_the_scale_of_integers(tmp_path: Path) -> None:
    samples = noise() * 32_767
    found = look(written(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert found.remarks == [f"scale of integers: samples of up to {np.abs(samples).max():.0f}, where full scale is 1"]


@pytest.mark.parametrize(("start", "end"), [(0, 1.5), (1.25, 3.5), (2.5, 5)])
@pytest.mark.parametrize("value", [0, 0.25])
def test_a_stuck_stretch_is_placed(tmp_path: Path, start: float, end: float, value: float) -> None:
    samples = noise()
    samples[int(start * RATE) : int(end * RATE)] = value
    found = look(written(tmp_path / "a.wav", np.stack([samples, samples], axis=1)))
    assert found.remarks == [f"stuck: {end - start:.2f} s of equal samples from {start:.2f} s on", "stereo"]


def test_many_short_dropouts_are_stuck(tmp_path: Path) -> None:
    samples = noise()
    for start in range(0, 5 * RATE, RATE // 2):
        samples[start + 1000 : start + RATE // 4] = 0
    found = look(written(tmp_path / "a.flac", samples))
    assert found.remarks == [f"stuck: {10 * (RATE // 4 - 1000) / RATE:.2f} s of equal samples from 0.02 s on"]


def test_short_silences_are_normal(tmp_path: Path) -> None:
    samples = noise()
    samples[:: RATE // 2] = 0
    samples[RATE : RATE + RATE // 2] = 0
    assert look(written(tmp_path / "a.flac", samples)).remarks == []


def test_recordings_without_any_sound(tmp_path: Path) -> None:
    assert look(written(tmp_path / "a.wav", np.zeros(5 * RATE))).remarks == ["silent"]
    assert look(written(tmp_path / "b.wav", np.full(5 * RATE, 0.25))).remarks == ["constant: every sample is 0.25"]


def test_a_dead_channel_and_opposite_phase(tmp_path: Path) -> None:
    advice = "set data.channel in params.yaml to use one channel"
    dead = written(tmp_path / "dead.wav", np.stack([noise(), np.zeros(5 * RATE)], axis=1))
    faint = written(tmp_path / "faint.wav", np.stack([noise(), 1e-4 * noise()[::-1] + 0.1], axis=1))
    assert look(faint).remarks == look(dead).remarks
    assert look(dead).remarks == [f"dead channel: 2 of 2; {advice}", "stereo"]
    assert look(dead, channel=1).remarks == ["stereo"]
    assert look(dead, channel=2).remarks == [f"dead channel: 2 of 2; {advice}", "stereo"]
    opposite = written(tmp_path / "opposite.wav", np.stack([noise() + 0.01, -noise()], axis=1))
    assert look(opposite).remarks == [f"opposite phase: the channels cancel each other out; {advice}", "stereo"]
    assert look(opposite, channel=1).remarks == ["stereo"]
    apart = written(tmp_path / "apart.wav", np.stack([noise(), noise()[::-1]], axis=1))
    assert look(apart).remarks == ["stereo"]


def test_a_channel_that_a_recording_does_not_have(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise())
    assert look(path, channel=1).faults == []
    assert look(path, channel=2).faults == ["no channel 2: the file has 1; correct data.channel in params.yaml"]


def test_statistics_are_those_of_all_samples(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", np.stack([noise(), 0.5 * noise()[::-1]], axis=1))
    samples, _ = soundfile.read(path)
    found = look(path)
    assert found.peak == pytest.approx(np.abs(samples).max())
    assert found.rms == pytest.approx(np.sqrt(np.mean(samples**2)))
