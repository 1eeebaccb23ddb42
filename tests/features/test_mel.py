"""Mel spectrograms, against librosa."""

from pathlib import Path

import librosa
import numpy as np
import pytest
from sounds import sound
from tiny import ROOT, changed

from dawnchorus.config.params import Params
from dawnchorus.config.presets import load_preset
from dawnchorus.features.mel import empty_bands, frequency_to_mel, mel_blocks, mel_spectrogram, mel_to_frequency
from dawnchorus.features.store import write_features


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


@pytest.mark.parametrize("lengths", [[100, 1, 3000, 0, 40_000], [7] * 1500])
def test_samples_may_come_in_blocks(params: Params, lengths: list[int], tmp_path: Path) -> None:
    samples = sound(1.0, 48_000)[: sum(lengths)]
    blocks = np.split(samples, np.cumsum(lengths)[:-1])
    whole = mel_spectrogram(samples, params.spectrogram)
    # The order of float32 sums differs, so the last bits may differ.
    np.testing.assert_allclose(np.concatenate(list(mel_blocks(blocks, params.spectrogram))), whole, atol=1e-3)
    write_features(tmp_path, "a", mel_blocks(blocks, params.spectrogram))
    np.testing.assert_allclose(np.load(tmp_path / "a.npy") / 256, whole, atol=1 / 512 + 1e-3)


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
