"""Clips are the right part of a recording, sound as they should, and other programs can play them."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sounds import RATE, noise, written

from dawnchorus.audio.clips import MOST_GAIN, PEAK, Clip, band_pass, cut_clip, encode_mp3, level, make_sound
from dawnchorus.errors import InputError


def tone(frequency: float, seconds: float = 2.0, rate: int = RATE, peak: float = 0.1) -> NDArray[np.float32]:
    return (peak * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=float))))


def by_ffmpeg(mp3: bytes, path: Path) -> np.ndarray:
    """The samples of an MP3 as ffmpeg decodes it."""
    path.write_bytes(mp3)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.ogg", "a.mp3"])
def test_a_clip_is_that_part_of_the_recording(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, np.column_stack([noise(20), tone(2000, 20)]))
    whole, _ = soundfile.read(path, dtype="float32")
    clip = cut_clip(path, 12.5, 14.0, context_s=0.5, channel=1)
    assert (clip.rate, clip.start_s, clip.seconds, clip.end_s) == (RATE, 12.0, 2.5, 14.5)
    assert np.allclose(clip.samples, whole[12 * RATE : int(14.5 * RATE), 0], atol=1e-6)
    mean = cut_clip(path, 12.0, 14.5)
    assert np.allclose(mean.samples, whole[12 * RATE : int(14.5 * RATE)].mean(axis=1), atol=1e-6)


def test_a_clip_ends_where_the_recording_does(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", noise(5))
    first, last = cut_clip(path, 0.25, 1, context_s=2), cut_clip(path, 4, 4.9, context_s=2)
    assert (first.start_s, first.end_s) == (0, 3)
    assert (last.start_s, last.end_s) == (2, 5)


def test_what_cannot_be_cut_is_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(5))
    with pytest.raises(InputError, match=r"a\.wav: has no samples between 7 s and 8 s"):
        cut_clip(path, 7, 8, context_s=1)
    with pytest.raises(InputError, match=r"has 1 channels, channel 2 was asked for"):
        cut_clip(path, 1, 2, channel=2)
    with pytest.raises(InputError, match=r"b\.wav: cannot be decoded"):
        cut_clip(tmp_path / "b.wav", 1, 2)
    (tmp_path / "c.flac").write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"c\.flac: cannot be decoded at 1 s"):
        cut_clip(tmp_path / "c.flac", 1, 2)
    samples = noise(5)
    samples[RATE] = np.nan
    with pytest.raises(InputError, match=r"d\.wav: contains samples that are NaN"):
        cut_clip(written(tmp_path / "d.wav", samples, subtype="FLOAT"), 0.5, 2)


def test_the_band_is_kept_and_the_rest_is_damped() -> None:
    def kept(frequency: float, f_min: float, f_max: float) -> float:
        # Without the ends, where the tone is switched on and off.
        filtered = band_pass(tone(frequency), RATE, f_min, f_max)
        return 20 * np.log10(rms(filtered[RATE // 2 : -RATE // 2]) / rms(tone(frequency)))

    for frequency in (2000, 2500, 3000):
        assert kept(frequency, 2000, 3000) == pytest.approx(0, abs=1.5)
    # Two poles a side and direction for an octave: at least 40 dB at half and twice the edges.
    assert kept(800, 2000, 3000) < -40
    assert kept(7500, 2000, 3000) < -40
    assert kept(200, 2000, np.inf) < -60
    assert kept(12_000, 2000, np.inf) == pytest.approx(0, abs=0.1)
    assert kept(12_000, 0, 2000) < -60
    assert kept(200, 0, 2000) == pytest.approx(0, abs=0.1)
    assert kept(200, 0, np.inf) == 0
    # A band above what the recording holds cannot be filtered.
    assert kept(200, 30_000, 40_000) == 0


def test_the_filter_delays_nothing_and_takes_short_clips() -> None:
    click = np.zeros(RATE, np.float32)
    click[20_000] = 1
    assert np.abs(band_pass(click, RATE, 1000, 4000)).argmax() == 20_000
    assert len(band_pass(click[:3], RATE, 1000, 4000)) == 3
    assert band_pass(click[:1], RATE, 1000, 4000).shape == (1,)


def test_a_clip_is_as_loud_as_it_may_be_without_clicks() -> None:
    faint = level(tone(1000, peak=0.001), RATE)
    assert np.abs(faint).max() == pytest.approx(0.001 * MOST_GAIN, rel=0.01)
    for loud in (tone(1000), tone(1000, peak=5)):
        assert np.abs(level(loud, RATE)).max() == pytest.approx(PEAK, rel=0.01)
    steady = level(np.ones(RATE, np.float32), RATE)
    assert steady[[0, -1]].max() < 0.001
    assert np.diff(steady).max() < 0.01
    assert (steady[480:-480] == np.float32(PEAK)).all()
    assert (level(np.zeros(RATE, np.float32), RATE) == 0).all()
    assert level(np.ones(1, np.float32), RATE).shape == (1,)


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.05, 3.217])
def test_an_mp3_keeps_length_and_sound_in_other_decoders(rate: int, seconds: float, tmp_path: Path) -> None:
    samples = tone(1500, seconds, rate) + tone(400, seconds, rate, peak=0.005)
    mp3 = encode_mp3(samples, rate)
    assert mp3 == encode_mp3(samples, rate)
    for decoded in (by_ffmpeg(mp3, tmp_path / "a.mp3"), soundfile.read(io.BytesIO(mp3))[0]):
        assert len(decoded) == len(samples)
        assert np.corrcoef(decoded, samples)[0, 1] > 0.97


def test_a_sound_is_filtered_levelled_and_small(tmp_path: Path) -> None:
    call = tone(3000, 4.0)
    sound = make_sound(Clip(call + tone(300, 4.0, peak=0.3), RATE, 0.0), 2500, 3500)
    assert sound.slower == 1
    assert soundfile.info(io.BytesIO(sound.mp3)).samplerate == 16_000
    decoded = by_ffmpeg(sound.mp3, tmp_path / "a.mp3")
    assert len(decoded) == 4 * 16_000
    spectrum = np.abs(np.fft.rfft(decoded))
    assert spectrum.argmax() / 4 == pytest.approx(3000, abs=1)
    assert spectrum[1200] < 0.01 * spectrum.max()
    assert np.abs(decoded).max() < 1
    assert len(sound.mp3) < 40_000


def test_calls_that_nobody_hears_are_slowed_down(tmp_path: Path) -> None:
    sound = make_sound(Clip(tone(45_000, 0.5, 256_000), 256_000, 0.0), 40_000, 50_000)
    decoded, rate = soundfile.read(io.BytesIO(sound.mp3))
    assert sound.slower == 10
    assert len(decoded) / rate == pytest.approx(5, abs=0.001)
    assert np.abs(np.fft.rfft(decoded)).argmax() / 5 == pytest.approx(4500, abs=1)
