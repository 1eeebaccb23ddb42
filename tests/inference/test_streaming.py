"""Streamed windows against those of a whole spectrogram, for any block size."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import make_bundle, settings_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.features.store import FeatureStore
from dawnchorus.inference.streaming import cut_windows, score_recording
from dawnchorus.inference.windows import tile
from dawnchorus.models.bundle import read_bundle
from dawnchorus.models.lite_networks import load_lite_networks


@given(st.integers(1, 300), st.integers(1, 60), st.data())
def test_streamed_windows_are_those_of_the_whole_recording(n_frames: int, length: int, data: st.DataObject) -> None:
    hop = data.draw(st.integers(1, length))
    spectrogram = np.random.default_rng(0).normal(-60 * 256, 9 * 256, (n_frames, 2)).astype(np.int16)
    cuts = sorted(data.draw(st.lists(st.integers(0, n_frames), max_size=8)))
    found = list(cut_windows(np.split(spectrogram, cuts), length, hop))
    assert [start for start, _ in found] == tile(n_frames, length, hop).tolist()
    for start, window in found:
        whole = spectrogram[start : start + length]
        np.testing.assert_array_equal(window[: len(whole)], whole)
        # A short recording is filled up as in `FeatureStore.read`.
        np.testing.assert_array_equal(window[len(whole) :], np.full((length - len(whole), 2), whole.min()))


class Levels:
    """Stands for a model; scores the mean level and the first frame's of each window."""

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        return np.stack([x.mean(axis=(1, 2)), x[:, 0].mean(axis=1)], axis=1)


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_recording_scores_as_its_cached_spectrogram(tiny: Params, tmp_path: Path, rate: int) -> None:
    from dawnchorus.features.caching import cache_spectrograms

    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.flac", rng.normal(0, 0.1, int(rate * 33.3)), rate)
    cache_spectrograms({"a": tmp_path / "a.flac"}, tmp_path, tiny.spectrogram, "mean", 1, "cached")
    starts, scores, seconds = score_recording(
        Levels(), tmp_path / "a.flac", settings_of(tiny), tiny.predict.hop_seconds, "mean", 16
    )
    frames = np.load(tmp_path / "a.npy")
    length, hop = 47, 23  # 2 s and 1 s at 48,000 / 2,048 frames/s
    np.testing.assert_allclose(starts, tile(len(frames), length, hop) * 2048 / 48_000)
    windows = np.zeros((len(starts), length, 32), np.int16)
    for window, start in zip(windows, tile(len(frames), length, hop), strict=True):
        FeatureStore(tmp_path).read("a", int(start), window)
    np.testing.assert_array_equal(scores, Levels()((windows / 256).astype(np.float32)))
    assert seconds == pytest.approx(33.3, abs=1e-3)


@pytest.mark.parametrize("block", [3_001, 65_536, 524_288])
def test_a_recording_of_several_gives_the_windows_of_each(
    tiny: Params, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = load_lite_networks(read_bundle(make_bundle(tmp_path / "model", tiny)), 1)
    settings, hop = tiny.spectrogram, 23  # 1 s, in frames
    step, half = hop * settings.hop_length, settings.n_fft // 2

    def score(name: str, samples: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        soundfile.write(tmp_path / name, samples, 48_000)
        starts, scores, _ = score_recording(scorer, tmp_path / name, settings_of(tiny), 1.0, "mean", 4)
        return np.rint(starts * 48_000).astype(int), scores

    rng = np.random.default_rng(0)
    parts = [rng.normal(0, level, seconds * step) for level, seconds in ((0.02, 9), (0.3, 6), (0.1, 14))]
    expected = [score("part.wav", part) for part in parts]
    # The recordings are decoded in one block, the joined one in several.
    monkeypatch.setattr("dawnchorus.audio.decoding.BLOCK", block)
    all_starts, all_scores = score("joined.wav", np.concatenate(parts))
    begin, compared = 0, []
    for part, (starts, scores) in zip(parts, expected, strict=True):
        # The first and last frames of a recording see silence beyond its ends, those of the joined one its neighbours.
        inside = (starts >= half) & (starts + 46 * settings.hop_length + half <= len(part)) & (starts % step == 0)
        place = np.searchsorted(all_starts, begin + starts[inside])
        np.testing.assert_array_equal(all_starts[place], begin + starts[inside])
        # The last bit of a level may depend on its place in a matrix product, and round to another code.
        np.testing.assert_allclose(all_scores[place], scores[inside], atol=1e-5)
        compared += list(scores[inside, 0])
        begin += len(part)
    assert len(compared) >= 15
    assert np.std(compared) > 1e-4


def test_scores_that_are_no_numbers_name_the_recording(tiny: Params, tmp_path: Path) -> None:
    class Broken(Levels):
        def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
            return super().__call__(x) * np.float32(np.nan)

    soundfile.write(tmp_path / "a.flac", np.zeros(48_000), 48_000)
    with pytest.raises(InputError, match=r"a\.flac: a score is not finite"):
        score_recording(Broken(), tmp_path / "a.flac", settings_of(tiny), 1.0, "mean", 4)
