"""Scores of recordings and of their windows, from cached spectrograms."""

from pathlib import Path

import numpy as np
import pytest
from tones import SHAPES, noise_with_tones

from dawnchorus.config.params import Params
from dawnchorus.errors import InputError
from dawnchorus.inference.scoring import score_recordings, score_windows
from dawnchorus.models.building import build_models


def test_a_clip_scores_the_maximum_over_its_windows(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    scores = score_recordings(scorer, tmp_path, list(annotations.recording_ids), hop_frames=23, batch_size=7)
    for number, name in enumerate(annotations.recording_ids):
        spectrogram = np.load(tmp_path / f"{name}.npy") / np.float32(256)
        windows = np.stack([spectrogram[start : start + 47] for start in (0, 23, 46, 47)])
        np.testing.assert_allclose(scores[number], scorer.predict_on_batch(windows).max(axis=0), atol=1e-5)


def test_each_window_of_a_recording_is_scored(tiny: Params, tmp_path: Path) -> None:
    names = list(noise_with_tones(tmp_path, tiny).recording_ids[:3])
    np.save(tmp_path / f"{names[1]}.npy", np.load(tmp_path / f"{names[1]}.npy")[:40])  # shorter than a window
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    found = score_windows(scorer, tmp_path, names, hop_frames=23, batch_size=7, what="windows scored")
    assert [len(scores) for scores in found] == [4, 1, 4]  # 94 frames have windows that start at 0, 23, 46 and 47
    spectrogram = np.load(tmp_path / f"{names[2]}.npy") / np.float32(256)
    windows = np.stack([spectrogram[start : start + 47] for start in (0, 23, 46, 47)])
    np.testing.assert_allclose(found[2], scorer.predict_on_batch(windows), atol=1e-5)


def test_scores_that_are_no_numbers_are_an_error(tiny: Params, tmp_path: Path) -> None:
    annotations = noise_with_tones(tmp_path, tiny)
    scorer, _ = build_models("small_cnn", SHAPES, 2, 0.25, 1)
    scorer.set_weights([np.full_like(weight, np.nan) for weight in scorer.get_weights()])
    with pytest.raises(InputError, match=r"\.npy: the scores of \d+ of \d+ recordings are not finite"):
        score_recordings(scorer, tmp_path, sorted(set(annotations.recording_ids)), hop_frames=23, batch_size=7)
