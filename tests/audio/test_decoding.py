"""Recordings are decoded as other readers decode them, and what is no sound is named."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from sounds import read, sound

from dawnchorus.audio import decoding
from dawnchorus.audio.decoding import read_blocks
from dawnchorus.audio.file_checks import inspect
from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import write_features


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


def test_one_channel_can_be_chosen(tmp_path: Path) -> None:
    samples = np.stack([sound(1.0, 48_000), sound(1.0, 48_000)[::-1]], axis=1)
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    for channel in (1, 2):
        found = np.concatenate(list(read_blocks(tmp_path / "a.wav", 48_000, channel)))
        np.testing.assert_array_equal(found, samples[:, channel - 1])
    with pytest.raises(InputError, match=r"a\.wav: has 2 channels, expected 3"):
        list(read_blocks(tmp_path / "a.wav", 48_000, 3))


def test_a_recording_without_a_sample_at_the_rate_of_the_result_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", [0.1, 0.2], 384_000)
    with pytest.raises(InputError, match=r"a\.wav: has no samples at 48000 Hz"):
        read(tmp_path / "a.wav")
    (fault,) = inspect(tmp_path / "a.wav", 48_000, window_seconds=3.0).faults
    assert fault == "empty: 2 samples at 384000 Hz, less than one at 48000 Hz"


@pytest.mark.parametrize("n_fft", [2047, 2048])
def test_the_shortest_usable_recording_has_one_frame(tmp_path: Path, n_fft: int, params: Params) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(9, 0.5), 384_000)
    assert inspect(tmp_path / "a.wav", 48_000, window_seconds=3.0).faults == []
    settings = params.spectrogram.model_copy(update={"n_fft": n_fft})
    write_features(tmp_path, "a", mel_blocks(read_blocks(tmp_path / "a.wav", 48_000), settings))
    assert len(np.load(tmp_path / "a.npy")) == 1
