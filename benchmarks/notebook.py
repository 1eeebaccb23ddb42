"""The usual way to make windows, as in the notebook: decode, cut and transform each one separately."""

import warnings
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from dawnchorus.config.params import Params
from dawnchorus.features.store import FeatureStore, from_codes
from dawnchorus.models.shapes import Shapes


def decoded_window(path: Path, start: int, params: Params) -> NDArray[np.float32]:
    """One window of a recording in dB, starting at frame `start`, shape [Frames, Mels]."""
    settings, (frames, _) = params.spectrogram, Shapes.of(params).window
    samples, _ = librosa.load(path, sr=settings.sample_rate)
    wanted = (frames - 1) * settings.hop_length
    samples = samples[start * settings.hop_length :][:wanted]
    return _spectrogram(np.pad(samples, (0, wanted - len(samples))), params)


def decoded_recording(path: Path, params: Params) -> NDArray[np.float32]:
    """A whole recording in dB, shape [Frames, Mels]."""
    samples, _ = librosa.load(path, sr=params.spectrogram.sample_rate)
    return _spectrogram(samples, params)


def check_same(path: Path, cached: Path, params: Params) -> None:
    """Fail if our windows differ from the notebook's, except at the edges, where it pads and we read further frames."""
    ours = np.empty(Shapes.of(params).window, np.int16)
    edge = -(-params.spectrogram.n_fft // params.spectrogram.hop_length)
    for start in (0, 101, 1002):
        FeatureStore(cached).read(path.stem, start, ours)
        theirs = decoded_window(path, start, params)
        np.testing.assert_allclose(from_codes(ours)[edge:-edge], theirs[edge:-edge], atol=0.012)


def _spectrogram(samples: NDArray[np.float32], params: Params) -> NDArray[np.float32]:
    settings = params.spectrogram
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty filters detected")
        mel = librosa.feature.melspectrogram(
            y=samples, sr=settings.sample_rate, n_fft=settings.n_fft, hop_length=settings.hop_length,
            n_mels=settings.n_mels, fmin=settings.f_min, fmax=settings.f_max,
        )  # fmt: skip
    return librosa.power_to_db(mel, top_db=None).T
