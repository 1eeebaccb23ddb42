"""Recordings are decoded as other readers decode them, and what is no sound is named."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from sounds import read, sound

from dawnchorus.audio import decoding
from dawnchorus.errors import InputError


@pytest.mark.parametrize("block", [1000, 1_440_000])
def test_channels_are_averaged_and_rates_converted(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", block)
    samples = sound(1.0, 22_050)
    soundfile.write(tmp_path / "a.wav", np.stack([samples, np.zeros_like(samples)], axis=1), 22_050, subtype="FLOAT")
    ours = read(tmp_path / "a.wav")
    expected, _ = librosa.load(tmp_path / "a.wav", sr=48_000, mono=True)
    # librosa rounds 22,050 x 48,000 / 22,050 up to 48,001 and pads with a zero.
    assert len(ours) == 48_000
    np.testing.assert_allclose(ours, expected[:48_000], atol=1e-5)


def test_a_file_that_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"not audio")
    with pytest.raises(InputError, match=r"a\.flac: cannot be decoded"):
        read(tmp_path / "a.flac")
    soundfile.write(tmp_path / "b.wav", np.zeros(0), 48_000)
    with pytest.raises(InputError, match=r"b\.wav: has no samples"):
        read(tmp_path / "b.wav")


def test_what_is_no_sound_is_refused_even_after_the_pre_flight(tmp_path: Path) -> None:
    samples = sound(0.5, 48_000)
    cases: list[tuple[float, int, str]] = [
        (np.nan, 48_000, "far beyond"), (1e30, 48_000, "far beyond"), (0.0, 1, "rate of 1 Hz, expected 1000 to"),
    ]  # fmt: skip
    for value, rate, reason in cases:
        samples[100] = value
        soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
        with pytest.raises(InputError, match=rf"a\.wav: .*{reason}"):
            read(tmp_path / "a.wav")
