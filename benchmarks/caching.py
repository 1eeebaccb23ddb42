"""Caching of spectrograms, on one core and on all cores."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import soundfile
from cached_recordings import caching_options
from numpy.lib.stride_tricks import sliding_window_view
from rows import Row, in_turn, on_one_core

from dawnchorus.audio.decoding import read_blocks
from dawnchorus.config.params import Params
from dawnchorus.features.mel import mel_blocks
from dawnchorus.features.store import from_codes, write_features

ROOT = Path(__file__).parent.parent


def measure(recordings: list[Path], params: Params, folder: Path, params_file: Path) -> list[Row]:
    """Measure both rows on one-minute recordings."""
    return [_one_core(recordings, params, folder), _all_cores(recordings, folder, params_file)]


def _one_core(recordings: list[Path], params: Params, folder: Path) -> Row:
    settings = params.spectrogram
    number = count()

    def ours(path: Path) -> str:
        # The stage writes new files, too; replacing a file takes the file system longer.
        name = f"{path.stem}-{next(number)}"
        write_features(folder / "spectrograms", name, mel_blocks(read_blocks(path, settings.sample_rate), settings))
        return name

    def peer(path: Path, top_db: float | None = 80.0) -> np.ndarray:
        samples, rate = librosa.load(path, sr=settings.sample_rate)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=settings.n_fft, hop_length=settings.hop_length, n_mels=settings.n_mels,
            fmin=settings.f_min, fmax=settings.f_max,
        )  # fmt: skip
        return librosa.power_to_db(mel, top_db=top_db)

    def limit(path: Path) -> None:
        samples, _ = soundfile.read(path, dtype="float32")
        frames = sliding_window_view(np.pad(samples, settings.n_fft // 2), settings.n_fft)[:: settings.hop_length]
        for start in range(0, len(frames), 128):
            scipy.fft.rfft(frames[start : start + 128], axis=1)

    sides: dict[str, Callable[[Path], object]] = {"ours": ours, "peer": peer, "limit": limit}
    with warnings.catch_warnings(), on_one_core():
        warnings.filterwarnings("ignore", "Empty filters detected")
        cached = np.load(folder / "spectrograms" / f"{ours(recordings[0])}.npy")
        np.testing.assert_allclose(from_codes(cached).T, peer(recordings[0], top_db=None), atol=0.012)
        # The sides take turns after each recording, so other load on the machine affects them equally.
        by_recording = [
            in_turn({name: partial(side, path) for name, side in sides.items()}, times=10) for path in recordings
        ]
    speed = {name: len(recordings) / sum(seconds[name] for seconds in by_recording) for name in sides}
    return Row("cache, one core", "recordings/s", speed["ours"], speed["peer"], speed["limit"])


def _all_cores(recordings: list[Path], folder: Path, params_file: Path) -> Row:
    # Enough copies that the start of the script, which a second core cannot speed up, hardly matters.
    copies = 480
    several = [recordings[number % len(recordings)] for number in range(copies)]
    options = caching_options(several, folder, params_file)

    def cache_on(cores: set[int]) -> None:
        subprocess.run(
            [sys.executable, "workflow/scripts/cache_spectrograms.py", *options, "--output", str(folder / "copies")],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, check=True, capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )  # fmt: skip

    cores = os.sched_getaffinity(0)
    # A turn takes long, and the previous row has already read all recordings.
    sides: dict[str, Callable[[], object]] = {"all": lambda: cache_on(cores), "one": lambda: cache_on({max(cores)})}
    seconds = in_turn(sides, times=1, warm_up=False)
    one = copies / seconds["one"]
    return Row(f"cache, {len(cores)} cores", "recordings/s", copies / seconds["all"], one, len(cores) * one)
