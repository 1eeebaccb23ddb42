"""The store of spectrograms: what is written is read back, and damage is named."""

import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sounds import read, sound

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.features.mel import mel_spectrogram
from dawnchorus.features.store import FeatureStore, from_codes, write_features


def read_back(folder: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    window = np.empty(shape, np.int16)
    FeatureStore(folder).read(name, 0, window)
    return from_codes(window)


def test_levels_are_rounded_to_steps_of_a_256th_of_a_decibel(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).uniform(-128, 127.99, (1000, 64)).astype(np.float32)
    write_features(tmp_path, "a", [drawn[:300], drawn[300:]])
    content = np.load(tmp_path / "a.npy")
    assert content.dtype == np.dtype("<i2")
    exact = [round(value * 256) for value in drawn.ravel().tolist()]
    np.testing.assert_array_equal(content.ravel(), exact)
    found = read_back(tmp_path, "a", drawn.shape)
    np.testing.assert_array_equal(found.ravel(), [code / 256 for code in exact])
    assert np.abs(found.astype(float) - drawn).max() <= 1 / 512


def test_sound_that_is_much_too_loud_keeps_the_highest_level(tmp_path: Path) -> None:
    levels = np.array([[127.9, 128, 1000, -127.9, -128, -1000]], np.float32)
    write_features(tmp_path, "a", [levels])
    expected = [[32_742 / 256, 32_767 / 256, 32_767 / 256, -32_742 / 256, -128, -128]]
    np.testing.assert_array_equal(read_back(tmp_path, "a", (1, 6)), expected)


def test_cached_values_are_those_of_librosa(params: Params, tmp_path: Path) -> None:
    samples = sound(2.0, 48_000)
    soundfile.write(tmp_path / "a.flac", samples, 48_000, subtype="PCM_24")
    ours = mel_spectrogram(read(tmp_path / "a.flac"), params.spectrogram)
    write_features(tmp_path, "a", [ours[:7], ours[7:]])
    decoded, _ = librosa.load(tmp_path / "a.flac", sr=48_000)
    settings = params.spectrogram
    mel = librosa.feature.melspectrogram(
        y=decoded, sr=48_000, n_fft=settings.n_fft, hop_length=settings.hop_length, n_mels=settings.n_mels,
        fmin=settings.f_min, fmax=settings.f_max,
    )  # fmt: skip
    # Half a step, and librosa's rounding errors.
    np.testing.assert_allclose(
        read_back(tmp_path, "a", ours.shape), librosa.power_to_db(mel, top_db=None).T, atol=1 / 512 + 1e-3
    )


def test_a_damaged_spectrogram_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "float32.npy", np.zeros((4, 2), np.float32))
    np.save(tmp_path / "float16.npy", np.zeros((4, 2), np.float16))
    for name, reason in [
        ("a", "cannot be read"),
        ("missing", "cannot be read"),
        ("float32", "is not an int16 spectrogram; run `make verify`"),
        ("float16", "is a float16 spectrogram of an earlier version, expected int16; run `snakemake` or `dvc repro`"),
    ]:
        with pytest.raises(InputError, match=rf"{name}\.npy: .*{reason}"):
            FeatureStore(tmp_path).frames(name)
    spectrograms = FeatureStore(tmp_path)
    np.save(tmp_path / "b.npy", np.zeros((4, 2), np.int16))
    with pytest.raises(InputError, match=r"b\.npy: has 2 mel bands, expected 3"):
        spectrograms.read("b", 0, np.zeros((2, 3), np.int16))


def test_more_spectrograms_than_a_process_may_open_are_read(tmp_path: Path) -> None:
    """The usual limit of a process is 1,024 open files."""
    for number in range(60):
        np.save(tmp_path / f"r{number}.npy", np.full((3, 2), number, np.int16))
    program = """
import resource, sys
from pathlib import Path
import numpy as np
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 50))
from dawnchorus.features.store import FeatureStore
spectrograms = FeatureStore(Path(sys.argv[1]))
window = np.zeros((2, 2), np.int16)
for number in [*range(60), *range(60)]:
    spectrograms.read(f"r{number}", 1, window)
    assert (window == number).all()
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)


def test_an_archive_or_half_a_heading_in_the_place_of_a_spectrogram_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.zeros(3))
    np.save(tmp_path / "b.npy", np.zeros((2, 2), np.int16))
    no_brace = (tmp_path / "b.npy").read_bytes().replace(b"{", b" ")
    for content in ((tmp_path / "a.npz").read_bytes(), b"PK\x03\x04 and no more", no_brace):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npy: cannot be read"):
            FeatureStore(tmp_path).frames("a")
