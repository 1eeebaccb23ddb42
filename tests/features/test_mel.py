"""Mel spectrograms equal librosa's at any rate and number of channels; the feature store holds them as float16."""

import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from tiny import ROOT, changed

from dawnchorus.audio import decoding
from dawnchorus.audio.decoding import read_blocks
from dawnchorus.config.params import Params
from dawnchorus.config.presets import load_preset
from dawnchorus.data.recordings import list_recordings
from dawnchorus.errors import InputError
from dawnchorus.features.mel import empty_bands, frequency_to_mel, mel_blocks, mel_spectrogram, mel_to_frequency
from dawnchorus.features.store import FeatureStore, to_half, write_features


def sound(seconds: float, rate: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    tone = np.sin(2 * np.pi * 3000 * np.arange(int(seconds * rate)) / rate)
    return (0.1 * tone + 0.01 * rng.standard_normal(len(tone))).astype(np.float32)


def read(path: Path) -> np.ndarray:
    """All samples of a recording at 48 kHz."""
    return np.concatenate(list(read_blocks(path, 48_000)))


@pytest.mark.parametrize("seconds", [0.01, 1.0, 12.5])
@pytest.mark.parametrize(("n_mels", "hop", "f_min", "f_max"), [(64, 1024, 200.0, 12000.0), (384, 512, 50.0, 24000.0)])
def test_equals_librosa(params: Params, seconds: float, n_mels: int, hop: int, f_min: float, f_max: float) -> None:
    settings = changed(
        params, {"spectrogram": {"n_mels": n_mels, "hop_length": hop, "f_min": f_min, "f_max": f_max}}
    ).spectrogram
    samples = sound(seconds, 48_000)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=48_000, n_fft=2048, hop_length=hop, n_mels=n_mels, fmin=f_min, fmax=f_max
    )
    expected = librosa.power_to_db(mel, top_db=None).T
    ours = mel_spectrogram(samples, settings)
    assert ours.shape == expected.shape
    np.testing.assert_allclose(ours, expected, atol=0.01)


def test_rounding_to_half_is_numpys() -> None:
    every_half = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    halves = np.sort(every_half[np.isfinite(every_half)])
    ties = ((halves[1:] + halves[:-1]) / 2).astype(np.float32)
    drawn = np.random.default_rng(0).uniform(-120, 120, 100_000).astype(np.float32)
    values: NDArray[np.float32]
    for values in (halves, ties, drawn):
        np.testing.assert_array_equal(to_half(values).view(np.uint16), values.astype(np.float16).view(np.uint16))


def test_cached_values_are_within_a_twentieth_of_a_decibel(params: Params, tmp_path: Path) -> None:
    samples = sound(2.0, 48_000)
    soundfile.write(tmp_path / "a.flac", samples, 48_000, subtype="PCM_24")
    ours = mel_spectrogram(read(tmp_path / "a.flac"), params.spectrogram)
    write_features(tmp_path, "a", [ours[:7], ours[7:]])
    cached = np.load(tmp_path / "a.npy")
    assert cached.dtype == np.float16
    decoded, _ = librosa.load(tmp_path / "a.flac", sr=48_000)
    settings = params.spectrogram
    mel = librosa.feature.melspectrogram(
        y=decoded, sr=48_000, n_fft=settings.n_fft, hop_length=settings.hop_length, n_mels=settings.n_mels,
        fmin=settings.f_min, fmax=settings.f_max,
    )  # fmt: skip
    np.testing.assert_allclose(cached, librosa.power_to_db(mel, top_db=None).T, atol=0.05)


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


@pytest.mark.parametrize("lengths", [[100, 1, 3000, 0, 40_000], [7] * 1500])
def test_samples_may_come_in_blocks(params: Params, lengths: list[int], tmp_path: Path) -> None:
    samples = sound(1.0, 48_000)[: sum(lengths)]
    blocks = np.split(samples, np.cumsum(lengths)[:-1])
    whole = mel_spectrogram(samples, params.spectrogram)
    # The order of float32 sums differs, so the last bits may differ.
    np.testing.assert_allclose(np.concatenate(list(mel_blocks(blocks, params.spectrogram))), whole, atol=1e-3)
    write_features(tmp_path, "a", mel_blocks(blocks, params.spectrogram))
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), whole, atol=0.04)


def test_a_file_that_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"not audio")
    with pytest.raises(InputError, match=r"a\.flac: cannot be decoded"):
        read(tmp_path / "a.flac")
    soundfile.write(tmp_path / "b.wav", np.zeros(0), 48_000)
    with pytest.raises(InputError, match=r"b\.wav: has no samples"):
        read(tmp_path / "b.wav")


def test_a_folder_must_hold_each_recording_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no recordings"):
        list_recordings(tmp_path)
    with pytest.raises(InputError, match=r"train: is missing.*data\.root"):
        list_recordings(tmp_path / "train")
    for name in ("a.flac", "a.WAV"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"'a' already exists as a\."):
        list_recordings(tmp_path)


def test_a_damaged_spectrogram_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "float32.npy", np.zeros((4, 2), np.float32))
    for name, reason in [
        ("a", "cannot be read"),
        ("missing", "cannot be read"),
        ("float32", "float16 spectrogram"),
    ]:
        with pytest.raises(InputError, match=rf"{name}\.npy: .*{reason}"):
            FeatureStore(tmp_path).frames(name)
    spectrograms = FeatureStore(tmp_path)
    np.save(tmp_path / "b.npy", np.zeros((4, 2), np.float16))
    with pytest.raises(InputError, match=r"b\.npy: has 2 mel bands, expected 3"):
        spectrograms.read("b", 0, np.zeros((2, 3), np.float16))


def test_more_spectrograms_than_a_process_may_open_are_read(tmp_path: Path) -> None:
    """The usual limit of a process is 1,024 open files."""
    for number in range(60):
        np.save(tmp_path / f"r{number}.npy", np.full((3, 2), number, np.float16))
    program = """
import resource, sys
from pathlib import Path
import numpy as np
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 50))
from dawnchorus.features.store import FeatureStore
spectrograms = FeatureStore(Path(sys.argv[1]))
window = np.zeros((2, 2), np.float16)
for number in [*range(60), *range(60)]:
    spectrograms.read(f"r{number}", 1, window)
    assert (window == number).all()
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


@pytest.mark.parametrize(("n_mels", "f_min", "f_max"), [(64, 200.0, 12_000.0), (384, 50.0, 24_000.0)])
def test_mel_bands_and_frequencies_are_librosas(params: Params, n_mels: int, f_min: float, f_max: float) -> None:
    settings = changed(params, {"spectrogram": {"n_mels": n_mels, "f_min": f_min, "f_max": f_max}}).spectrogram
    # Each of librosa's filters spans three of these frequencies; the centre of the first band is the second of them.
    centres = librosa.mel_frequencies(n_mels=n_mels + 2, fmin=f_min, fmax=f_max)[1:-1]
    np.testing.assert_allclose([mel_to_frequency(band, settings) for band in range(n_mels)], centres, rtol=1e-9)
    np.testing.assert_allclose(
        [frequency_to_mel(frequency, settings) for frequency in centres], range(n_mels), atol=1e-6
    )
    assert mel_to_frequency(frequency_to_mel(3000, settings), settings) == pytest.approx(3000)
    tone = np.sin(2 * np.pi * 3000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert mel_spectrogram(tone, settings)[20].argmax() == round(frequency_to_mel(3000, settings))


def test_empty_bands_are_found(params: Params) -> None:
    notebook = load_preset(ROOT / "presets", "notebook").spectrogram
    empty = empty_bands(notebook)
    assert len(empty) == 10
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    constant = (mel_spectrogram(noise, notebook) < -99.9).all(axis=0)
    np.testing.assert_array_equal(np.flatnonzero(constant), empty)
    for settings in (params.spectrogram, load_preset(ROOT / "presets", "rfcx").spectrogram):
        assert len(empty_bands(settings)) == 0


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


def test_an_archive_or_half_a_heading_in_the_place_of_a_spectrogram_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.zeros(3))
    np.save(tmp_path / "b.npy", np.zeros((2, 2), np.float16))
    no_brace = (tmp_path / "b.npy").read_bytes().replace(b"{", b" ")
    for content in ((tmp_path / "a.npz").read_bytes(), b"PK\x03\x04 and no more", no_brace):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npy: cannot be read"):
            FeatureStore(tmp_path).frames("a")
